// Relative times, said again as time goes by, in the words that the server used for the first ones.

const format = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "always" });
const STEPS = [["minute", 60, 60], ["hour", 3600, 24], ["day", 86400, 30], ["month", 2629800, 12], ["year", 31557600, Infinity]];

// A device whose clock is wrong is told the time by the server.
const behind = Date.parse(document.body.dataset.now) - Date.now();

export function moment(iso, words) {
  const seconds = Math.round((Date.parse(iso) - Date.now() - behind) / 1000);
  const size = Math.abs(seconds);
  if (size < 45) return words[seconds > 0 ? "in.now" : "ago.now"];
  for (const [unit, length, most] of STEPS) {
    const count = Math.max(1, Math.round(size / length));
    if (count < most) return format.format(Math.sign(seconds) * count, unit);
  }
}

export function keepTimes(words) {
  setInterval(() => {
    for (const time of document.querySelectorAll("time")) {
      const text = moment(time.dateTime, words);
      if (time.textContent !== text) time.textContent = text;
    }
  }, 15000);
}
