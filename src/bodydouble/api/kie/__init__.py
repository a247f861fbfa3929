"""The dialect of kie.ai: its jobs API for Wan 2.2 Animate, which has the model names of our own API."""
