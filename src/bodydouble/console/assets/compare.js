// The player that compares source and result: in step, with sound, and a contact sheet drawn from both.

const STEP_SECONDS = 0.045;  // further apart than this and the source is put right
const COLUMNS = 6, CELL_WIDTH = 320, GAP = 4;

export function startCompare(root) {
  const final = root.querySelector("video.final");
  const source = root.querySelector("video.source");
  const stage = root.querySelector(".compare-stage");
  const play = root.querySelector("[data-play]");
  const seek = root.querySelector(".seek");
  const clock = root.querySelector("[data-clock]");
  const sound = root.querySelector("[data-sound]");

  const follow = () => {
    if (!source) return;
    if (Math.abs(source.currentTime - final.currentTime) > STEP_SECONDS) source.currentTime = final.currentTime;
  };
  const show = () => {
    const length = final.duration || 0;
    if (document.activeElement !== seek || !final.paused) seek.value = length ? (final.currentTime / length) * 1000 : 0;
    const text = `${final.currentTime.toFixed(1)} / ${length.toFixed(1)} s`;
    seek.style.setProperty("--at", `${seek.value / 10}%`);
    clock.textContent = text;
    seek.setAttribute("aria-valuetext", text);
  };
  const tick = () => {
    follow();
    show();
    if (!final.paused && root.isConnected) requestAnimationFrame(tick);
  };
  const toggle = async () => {
    if (!final.paused) return final.pause();
    try {
      await final.play();
    } catch {  // sound is refused before the first touch: without it then
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
    follow();
    show();
  });
  final.addEventListener("seeked", () => {
    follow();
    show();
  });
  final.addEventListener("loadedmetadata", show);
  final.addEventListener("volumechange", () => sound.setAttribute("aria-pressed", String(!final.muted)));
  play.addEventListener("click", toggle);
  seek.addEventListener("input", () => {
    final.currentTime = (seek.value / 1000) * (final.duration || 0);
    follow();
    show();
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

/** Six moments, the source's frames above the result's. Players of its own, so that the one on screen goes on. */
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
    copy.addEventListener("error", () => reject(new Error("The video cannot be read")), { once: true });
  });
}

function seekTo(video, seconds) {
  return new Promise((resolve) => {
    video.addEventListener("seeked", resolve, { once: true });
    video.currentTime = seconds;
  });
}
