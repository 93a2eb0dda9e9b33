"use strict";

const PERIOD_MS = 2000;
const KEY = "supportbot.key";
const BAD = new Set(["passkey_required", "replaced", "logged_out", "banned", "outdated", "clock_skewed", "store_failed"]);
const BEGINS = new Set(["unpaired", "logged_out", "passkey_required"]);
const words = document.body.dataset;
const at = (id) => document.getElementById(id);

// The key lives as long as the tab; where the browser keeps nothing, as long as the page.
let key = "";
try { key = sessionStorage.getItem(KEY) || ""; } catch { key = ""; }

let drawn = "";
let picture = "";
let offer = null;
let asking = false;

function keep(value) {
  key = value;
  try { sessionStorage.setItem(KEY, value); } catch { /* It stays in memory. */ }
}

function show(id, visible) { at(id).hidden = !visible; }

async function call(method, path, body) {
  const headers = key ? { authorization: `Bearer ${key}` } : {};
  if (body !== undefined) headers["content-type"] = "application/json";
  return fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), cache: "no-store" });
}

function askForKey(wrong) {
  at("key-wrong").textContent = wrong ? words.keyWrong : "";
  for (const id of ["state", "offer", "begin", "steps"]) show(id, false);
  if (at("key-form").hidden) { show("key-form", true); at("key").focus(); }
  forgetPicture();
}

function forgetPicture() {
  if (picture) URL.revokeObjectURL(picture);
  picture = drawn = "";
  offer = null;
  at("qr").removeAttribute("src");
}

async function draw(view) {
  offer = view.offer;
  show("offer", offer !== null);
  if (offer === null) { forgetPicture(); return; }
  show("qr", offer.payload !== null);
  show("typed", offer.code !== null);
  at("code").textContent = offer.code || "";
  tick();
  if (offer.payload === null || offer.payload === drawn) return;
  const wanted = offer.payload;
  const answer = await call("GET", "/pairing/qr.svg");
  if (!answer.ok) return;
  const next = URL.createObjectURL(await answer.blob());
  if (picture) URL.revokeObjectURL(picture);
  picture = next;
  drawn = wanted;
  at("qr").src = next;
}

async function render(view) {
  show("key-form", false);
  show("state", true);
  at("state").dataset.state = view.state;
  at("state").dataset.tone = BAD.has(view.state) ? "bad" : "";
  at("title").textContent = view.title;
  at("advice").textContent = view.advice;
  at("message").textContent = view.message;
  at("phone").textContent = view.phone || "";
  at("until").textContent = view.until ? words.until.replace("{time}", new Date(view.until).toLocaleString(document.documentElement.lang)) : "";
  const begins = view.pairable && view.offer === null && BEGINS.has(view.state);
  show("begin", begins);
  show("steps", begins || view.offer !== null);
  await draw(view);
}

async function look() {
  // Without a key there is nothing to ask: each attempt would be a refusal in the log.
  if (asking || document.hidden || !at("key-form").hidden) return;
  asking = true;
  try {
    const answer = await call("GET", "/pairing");
    at("problem").textContent = "";
    if (answer.status === 401 || answer.status === 403) askForKey(key !== "");
    else if (answer.ok) await render(await answer.json());
    else at("problem").textContent = (await answer.json()).detail || words.away;
  } catch {
    at("problem").textContent = words.away;
  } finally {
    asking = false;
  }
}

async function act(method, path, body) {
  try {
    const answer = await call(method, path, body);
    if (answer.ok) { await render(await answer.json()); return; }
    const detail = (await answer.json()).detail;
    at("problem").textContent = typeof detail === "string" ? detail : words.away;
  } catch {
    at("problem").textContent = words.away;
  }
}

function tick() {
  const left = offer === null ? 0 : Math.max(0, Math.round((new Date(offer.expires_at) - Date.now()) / 1000));
  at("expires").textContent = offer === null ? "" : words.expires.replace("{s}", left);
}

at("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  keep(at("key").value.trim());
  at("key").value = "";
  show("key-form", false);
  look();
});
at("code-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const number = at("number").value.trim();
  act("POST", "/pairing", number ? { method: "code", phone: number } : { method: "code" });
});
at("begin-qr").addEventListener("click", () => act("POST", "/pairing", { method: "qr" }));
at("stop").addEventListener("click", () => act("DELETE", "/pairing"));
document.addEventListener("visibilitychange", look);
setInterval(look, PERIOD_MS);
setInterval(tick, 1000);
look();
