// Conveniences only: every page works without this file.
(() => {
  const root = document.documentElement;
  const toggle = document.getElementById("theme");
  if (toggle) {
    const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    const name = () => { toggle.textContent = isDark() ? "Light" : "Dark"; };
    name();
    toggle.hidden = false;
    toggle.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      document.cookie = `theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=lax`;
      name();
    });
  }
  const all = document.getElementById("choose-all");
  if (all) {
    all.hidden = false;
    all.addEventListener("click", () => {
      const boxes = [...document.querySelectorAll('input[name="choose"][type="checkbox"]')];
      const on = boxes.some((box) => !box.checked);
      for (const box of boxes) box.checked = on;
      all.textContent = on ? "Choose none" : "Choose all on this page";
    });
  }
})();
