"""The dialect of Alibaba Cloud Model Studio (DashScope): its video-synthesis API for Wan 2.2 Animate."""
