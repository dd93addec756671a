"use strict";
(() => {
  const zoom = document.getElementById("zoom");
  const large = document.getElementById("large");
  const shown = document.getElementById("shown");
  const said = document.getElementById("said");
  const pictures = [...document.querySelectorAll("td img")];
  let at = 0;
  const resize = (size) => {
    const cell = Math.min(1024, Math.max(48, size));
    zoom.value = String(cell);
    document.documentElement.style.setProperty("--cell", `${cell}px`);
  };
  const show = (index) => {
    at = (index + pictures.length) % pictures.length;
    shown.src = pictures[at].src;
    shown.alt = pictures[at].alt;
    said.textContent = pictures[at].alt;
    if (!large.open) large.showModal();
  };
  zoom.addEventListener("input", () => resize(Number(zoom.value)));
  addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    resize(Number(zoom.value) * (event.deltaY < 0 ? 1.15 : 1 / 1.15));
  }, { passive: false });
  pictures.forEach((picture, index) => picture.parentElement.addEventListener("click", () => show(index)));
  large.addEventListener("click", () => large.close());
  addEventListener("keydown", (event) => {
    if (large.open && event.key === "ArrowRight") show(at + 1);
    else if (large.open && event.key === "ArrowLeft") show(at - 1);
    else if (event.key === "+" || event.key === "=") resize(Number(zoom.value) * 1.25);
    else if (event.key === "-") resize(Number(zoom.value) / 1.25);
  });
})();
