// The player that shows source and result in sync, and the contact sheet of both.

const SYNC_SECONDS = 0.045;  // a larger difference makes the source seek to the result's time
const COLUMNS = 6, CELL_WIDTH = 320, GAP = 4;

export function startCompare(root) {
  const final = root.querySelector("video.final");
  const source = root.querySelector("video.source");
  const stage = root.querySelector(".compare-stage");
  const play = root.querySelector("[data-play]");
  const seek = root.querySelector(".seek");
  const clock = root.querySelector("[data-clock]");
  const sound = root.querySelector("[data-sound]");

  const syncSource = () => {
    if (!source) return;
    if (Math.abs(source.currentTime - final.currentTime) > SYNC_SECONDS) source.currentTime = final.currentTime;
  };
  const showTime = () => {
    const length = final.duration || 0;
    if (document.activeElement !== seek || !final.paused) seek.value = length ? (final.currentTime / length) * 1000 : 0;
    const text = `${final.currentTime.toFixed(1)} / ${length.toFixed(1)} s`;
    seek.style.setProperty("--at", `${seek.value / 10}%`);
    clock.textContent = text;
    seek.setAttribute("aria-valuetext", text);
  };
  const tick = () => {
    syncSource();
    showTime();
    if (!final.paused && root.isConnected) requestAnimationFrame(tick);
  };
  const toggle = async () => {
    if (!final.paused) return final.pause();
    try {
      await final.play();
    } catch {  // browsers block audio before the first user action: play muted
      final.muted = true;
      await final.play();
    }
  };
  final.addEventListener("play", () => {
    play.setAttribute("aria-label", "Pause");
    source?.play().catch(() => {});
    tick();
  });
  final.addEventListener("pause", () => {
    play.setAttribute("aria-label", "Play");
    source?.pause();
    syncSource();
    showTime();
  });
  final.addEventListener("seeked", () => {
    syncSource();
    showTime();
  });
  final.addEventListener("loadedmetadata", showTime);
  final.addEventListener("volumechange", () => sound.setAttribute("aria-pressed", String(!final.muted)));
  play.addEventListener("click", toggle);
  seek.addEventListener("input", () => {
    final.currentTime = (seek.value / 1000) * (final.duration || 0);
    syncSource();
    showTime();
  });
  sound.addEventListener("click", () => (final.muted = !final.muted));
  root.querySelector("[data-full]").addEventListener("click", () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else stage.requestFullscreen?.();
  });

  const split = root.querySelector(".split");
  split?.addEventListener("input", () => {
    stage.style.setProperty("--split", `${split.value}%`);
    split.setAttribute("aria-valuetext", `${split.value} percent source`);
  });
  split?.addEventListener("keydown", (event) => {
    if (event.key !== " ") return;
    event.preventDefault();
    toggle();
  });
  for (const radio of root.querySelectorAll('input[type="radio"]')) {
    radio.addEventListener("change", () => (root.dataset.mode = radio.value));
  }
  const sheet = root.querySelector("[data-sheet]");
  sheet?.addEventListener("toggle", () => sheet.open && showSheet(sheet, source, final), { once: true });
}

async function showSheet(sheet, source, final) {
  try {
    await drawSheet(sheet, source, final);
  } catch (error) {
    const note = Object.assign(document.createElement("p"), { className: "muted small", role: "alert", textContent: `${error.message}.` });
    sheet.querySelector("canvas").replaceWith(note);
  }
}

/** Draw six frames of the source above the same frames of the result. Uses its own players, so the visible one is not moved. */
async function drawSheet(sheet, source, final) {
  const canvas = sheet.querySelector("canvas");
  const context = canvas.getContext("2d");
  const videos = await Promise.all([source, final].map(openCopy));
  const cell = Math.round((CELL_WIDTH * videos[1].videoHeight) / videos[1].videoWidth);
  canvas.width = COLUMNS * (CELL_WIDTH + GAP) + GAP;
  canvas.height = 2 * (cell + GAP) + GAP;
  canvas.style.aspectRatio = `${canvas.width} / ${canvas.height}`;
  context.fillStyle = "#181817";
  context.fillRect(0, 0, canvas.width, canvas.height);
  const length = Math.min(...videos.map((video) => video.duration));
  for (let column = 0; column < COLUMNS; column++) {
    for (const [row, video] of videos.entries()) {
      await seekTo(video, (length * (column + 0.5)) / COLUMNS);
      context.drawImage(video, GAP + column * (CELL_WIDTH + GAP), GAP + row * (cell + GAP), CELL_WIDTH, cell);
    }
  }
  canvas.toBlob((blob) => {
    const link = sheet.querySelector("[data-sheet-save]");
    link.href = URL.createObjectURL(blob);
    link.hidden = false;
  });
}

function openCopy(video) {
  return new Promise((resolve, reject) => {
    const copy = Object.assign(document.createElement("video"), { muted: true, preload: "auto", src: video.currentSrc || video.src });
    copy.addEventListener("loadeddata", () => resolve(copy), { once: true });
    copy.addEventListener("error", () => reject(new Error("The browser cannot play this video")), { once: true });
  });
}

function seekTo(video, seconds) {
  return new Promise((resolve) => {
    video.addEventListener("seeked", resolve, { once: true });
    video.currentTime = seconds;
  });
}
