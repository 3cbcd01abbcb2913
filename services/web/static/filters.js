// The filters without reloading: the form, the chips, more of the list, and what is near. The address says it all.

import { add, parsed, part } from "./cards.js";

const section = document.getElementById("needed");
let latest = 0;

export function setUpFilters(words, say) {
  section.addEventListener("submit", (event) => {
    event.preventDefault();
    show(address(event.target), words, say);
  });
  section.addEventListener("change", ({ target }) => {
    if (target.matches("select")) show(address(target.form, target), words, say);
  });
  section.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (event.target.id === "near") look(words, say);
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    if (link.pathname !== "/" || link.origin !== location.origin) return;
    event.preventDefault();
    if (link.id === "more") more(link, words, say);
    else show(link.search, words, say);
  });
  addEventListener("popstate", () => show(location.search, words, say, false));
}

// Of the selects, only those down to the one that was changed count; a point is dropped for an area.
function address(form, changed = null) {
  const query = new URLSearchParams();
  for (const name of ["q", "category", "near"]) {
    const value = form.elements[name]?.value.trim();
    if (value && !(name === "near" && changed)) query.set(name, value);
  }
  for (const select of form.querySelectorAll("select")) {
    if (select.value) query.set("area", select.value);
    if (select === changed || !select.value) break;
  }
  return query.size ? plain(query) : "";
}

const plain = (query) => `?${query}`.replaceAll("%2C", ",");

async function show(search, words, say, remember = true) {
  const number = ++latest;
  if (remember) history.pushState(null, "", search || "/");
  const html = await ask(part("requests"), words, say);
  if (html === null || number !== latest) return;
  const held = document.activeElement?.id;
  section.innerHTML = html;
  if (held) document.getElementById(held)?.focus();
  for (const link of document.querySelectorAll(".languages a")) {
    const query = new URLSearchParams(location.search);
    query.set("lang", link.lang);
    link.search = plain(query);
  }
  say("needed.shown", section.querySelectorAll(".card").length);
}

async function more(link, words, say) {
  const html = await ask(`/parts/requests${link.search}&lang=${document.documentElement.lang}`, words, say);
  if (html === null) return;
  const content = parsed(html);
  const cards = [...content.querySelectorAll(".card")];
  document.getElementById("cards").append(...cards);
  link.parentElement.replaceWith(content.querySelector(".more") ?? "");
  cards[0]?.querySelector("a").focus();
  say("needed.shown", section.querySelectorAll(".card").length);
}

async function ask(path, words, say) {
  section.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(path);
    if (!response.ok) throw new Error(response.statusText);
    section.querySelector(".failed")?.remove();
    return await response.text();
  } catch {
    failed(words, say);
    return null;
  } finally {
    section.removeAttribute("aria-busy");
  }
}

function failed(words, say) {
  section.querySelector(".failed")?.remove();
  const notice = document.createElement("p");
  notice.className = "notice problem failed";
  notice.textContent = `${words["needed.failed"]} ${words["needed.failed.help"]}`;
  document.getElementById("cards").before(notice);
  say("needed.failed");
}

function look(words, say) {
  const said = document.getElementById("near-said");
  said.textContent = words["filter.near.looking"];
  const found = ({ coords }) => {
    // To about a hundred metres: the address of the page may be shared, the own doorstep should not.
    const query = new URLSearchParams(location.search);
    query.delete("area");
    query.set("near", `${coords.longitude.toFixed(3)},${coords.latitude.toFixed(3)}`);
    show(plain(query), words, say);
  };
  const lost = ({ code }) => {
    said.textContent = words[code === 1 ? "filter.near.denied" : "filter.near.unknown"];
  };
  if ("geolocation" in navigator) navigator.geolocation.getCurrentPosition(found, lost, { timeout: 10000, maximumAge: 60000 });
  else lost({ code: 2 });
}

// After a request was opened somewhere: it is shown if the server finds that it fits the filters.
export async function lookForNew() {
  const response = await fetch(part("requests"));
  if (!response.ok) return [];
  return add(document.getElementById("cards"), [...parsed(await response.text()).querySelectorAll(".card")]);
}
