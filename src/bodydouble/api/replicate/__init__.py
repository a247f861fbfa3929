"""The API of Replicate: predictions, files, models, account, webhooks."""
