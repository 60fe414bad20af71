// Runs before the first paint, so that a chosen theme does not flash. Allowed by its hash in the content policy.
try {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {}
