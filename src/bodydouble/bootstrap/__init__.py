"""The only wiring: settings to stores, files, services, application and worker.

Nothing is imported here: each process and command takes the modules that it runs on.
"""
