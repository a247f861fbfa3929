"""The dialect of WaveSpeedAI: its predictions API for Wan 2.2 Animate."""
