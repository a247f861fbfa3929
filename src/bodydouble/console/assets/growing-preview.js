// The preview of a running task: a video that grows. A longer version takes the place of the shown one at the same time.

export class GrowingPreview {
  /** `screen` contains a picture, which is shown until a video plays and in browsers that cannot play it. */
  constructor(screen) {
    this.screen = screen;
    this.picture = screen.querySelector("[data-preview]");
    this.video = null;  // the version on screen
    this.loading = null;  // URL of the version that is being loaded
    this.next = null;  // URL of the newest version
  }

  showPicture(url) {
    if (this.video) return;
    this.picture.src = url;
    this.picture.hidden = false;
    this.screen.querySelector(".silhouette")?.remove();
  }

  /** Show the version at `url`. Versions differ in their path; their signatures change with every answer. */
  showVideo(url) {
    const path = url.split("?")[0];
    if (path === this.path) return;
    this.path = path;
    this.next = url;
    if (!this.loading) this.load();
  }

  load() {
    this.loading = this.next;
    const video = Object.assign(document.createElement("video"), { muted: true, playsInline: true, controls: true, preload: "auto", src: this.loading });
    video.setAttribute("aria-label", "Preview of the result");
    const end = () => {
      const { loading } = this;
      this.loading = null;
      if (this.next !== loading && this.screen.isConnected) this.load();
    };
    video.addEventListener("error", end, { once: true });
    video.addEventListener("loadeddata", async () => {
      if (this.video) await seek(video, this.video.currentTime);
      this.put(video);
      end();
    }, { once: true });
  }

  put(video) {
    const { video: former } = this;
    if (former && document.fullscreenElement === former) return;  // leaving the full screen by itself would surprise
    const plays = former ? !former.paused || former.ended : !matchMedia("(prefers-reduced-motion: reduce)").matches;
    const focused = document.activeElement === former;
    this.video = video;
    this.picture.hidden = true;
    this.screen.querySelector(".silhouette")?.remove();
    if (former) former.replaceWith(video);
    else this.screen.append(video);
    if (focused) video.focus();
    if (plays) video.play().catch(() => {});  // some browsers play nothing before the first user action
  }
}

function seek(video, seconds) {
  return new Promise((resolve) => {
    video.addEventListener("seeked", resolve, { once: true });
    video.currentTime = Math.min(seconds, video.duration);
  });
}
