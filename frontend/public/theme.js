// Before the first paint, so that a dark page never flashes white.
try {
  const theme = JSON.parse(localStorage.getItem("crm.theme") ?? "null");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be forbidden; the system's choice holds.
}
