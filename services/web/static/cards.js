// Cards that change by themselves: each is asked for again, as the server would paint it now.

const TOGETHER_MS = 300;
const SPREAD_MS = 600;
const MOST_CARDS = 100;
const waiting = new Set();

// The page's own filters go along, since a card shows the distance from where one looks.
export function part(path) {
  const query = new URLSearchParams(location.search);
  query.set("lang", document.documentElement.lang);
  return `/parts/${path}?${query}`;
}

export function parsed(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

export const cardOf = (collection, id) => document.getElementById(`${collection === "offers" ? "o" : "r"}-${id}`);

// Soon, once for several events, and not at the same moment in everybody's browser.
export function refresh(collection, id) {
  const path = `${collection}/${id}`;
  if (waiting.has(path)) return;
  waiting.add(path);
  setTimeout(() => {
    waiting.delete(path);
    repaint(collection, id, path).catch(() => {});
  }, TOGETHER_MS + Math.random() * SPREAD_MS);
}

async function repaint(collection, id, path) {
  const response = await fetch(part(path));
  if (!response.ok) return;
  const card = parsed(await response.text()).querySelector("li");
  const old = cardOf(collection, id);
  if (collection === "offers" && !card.classList.contains("published")) old?.remove();
  else if (old) replace(old, card);
  else if (collection === "offers") add(document.getElementById("offer-cards"), [card]);
}

function replace(old, card) {
  const held = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  card.classList.add("fresh");
  old.replaceWith(card);
  if (held) [...card.querySelectorAll("a")].find((link) => link.getAttribute("href") === held)?.focus();
}

// New cards come first; those that are there already stay where they are. A page that is open for days does not grow.
export function add(list, cards) {
  const missing = cards.filter((card) => !document.getElementById(card.id));
  if (!missing.length) return missing;
  for (const card of missing) card.classList.add("fresh");
  list.prepend(...missing);
  while (list.children.length > MOST_CARDS) list.lastElementChild.remove();
  list.parentElement.querySelector(".notice")?.remove();
  return missing;
}
