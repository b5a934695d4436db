// The review page. Everything that is not marked is OK; a page turns when the server has kept it.
"use strict";

const $ = id => document.getElementById(id);
const state = { review: "", reviewer: "", queue: "", size: 24, flags: [], view: null, at: 0, waiting: false };
const words = name => name.replaceAll("-", " ");
const count = (n, one, many) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

// --- the server ------------------------------------------------------------------------------

// What is not kept yet, in order. It outlives the browser: each thing sent has a number of its
// own, and counts once however often it is sent. Another review may be served here some day, so it
// stands under the name of its own.
const box = {
  own: newId(),
  get all() { return `outbox:${state.review}:`; },
  get key() { return this.all + this.own; },
  list: [],
  running: false,
  save() {
    if (this.list.length) localStorage.setItem(this.key, JSON.stringify(this.list));
    else localStorage.removeItem(this.key);
  },
  adopt() {
    for (const key of Object.keys(localStorage).filter(key => key.startsWith(this.all))) {
      try { this.list.push(...JSON.parse(localStorage.getItem(key))); } catch { /* not ours */ }
      localStorage.removeItem(key);
    }
    this.save();
  },
  send(address, body) {
    return new Promise((done, failed) => {
      this.list.push({ address, body: { id: newId(), ...body } });
      waiting.set(this.list.at(-1).body.id, { done, failed });
      this.save();
      this.flush();
    });
  },
  async flush() {
    if (this.running) return;
    this.running = true;
    let pause = 400;
    while (this.list.length) {
      const { address, body } = this.list[0];
      const hears = waiting.get(body.id);
      let answer;
      try {
        answer = await asked(address, {
          method: "POST", headers: { "content-type": "application/json" },
          body: JSON.stringify(body),
        });
      } catch (error) {
        if (error.refused) {
          this.list.shift();
          hears?.failed(error);
        } else {
          trouble(`Not saved yet: ${error.message} Trying again…`);
          await new Promise(done => setTimeout(done, pause));
          pause = Math.min(pause * 2, 5000);
        }
        this.save();
        continue;
      }
      pause = 400;
      trouble("");
      this.list.shift();
      this.save();
      hears?.done(answer);
      waiting.delete(body.id);
    }
    this.running = false;
  },
};
const waiting = new Map();

function newId() {
  return [...crypto.getRandomValues(new Uint8Array(9))].map(b => b.toString(16).padStart(2, "0"))
    .join("");
}

async function asked(address, options) {
  let answer;
  try {
    const headers = { ...options?.headers, ...(state.review && { "x-review": state.review }) };
    answer = await fetch(address, { ...options, headers, signal: AbortSignal.timeout(20000) });
  } catch {
    throw new Error("no connection to the server.");
  }
  const content = await answer.json().catch(() => ({}));
  if (answer.ok) return content;
  // It is no answer to what was sent, which waits for the server that it is meant for.
  if ([401, 403, 421].includes(answer.status)) {
    throw new Error("another server is here by now, or the link is needed again.");
  }
  const error = new Error(content.error ?? `the server answers ${answer.status}.`);
  error.refused = answer.status >= 400 && answer.status < 500;
  throw error;
}

// What is only looked at is tried until the server is there again.
async function looked(address) {
  for (let pause = 400; ; pause = Math.min(pause * 2, 5000)) {
    try {
      const content = await asked(address);
      if (!box.list.length) trouble("");
      return content;
    } catch (error) {
      trouble(error.refused ? error.message : `Waiting: ${error.message} Trying again…`);
      if (error.refused) throw error;
      await new Promise(done => setTimeout(done, pause));
    }
  }
}

// Browsers keep pictures by their address.
const thumbnail = image => `/thumbnail/${image}?of=${state.review}`;

function trouble(text) {
  $("trouble").textContent = text;
  $("trouble").hidden = !text;
}

function say(text) { $("said").textContent = text; }

const query = more => new URLSearchParams(
  { reviewer: state.reviewer, queue: state.queue, size: state.size, ...more });

// --- pages -----------------------------------------------------------------------------------

function show(view, at = 0) {
  state.view = view;
  state.at = Math.min(at, Math.max(0, view.images.length - 1));
  state.waiting = false;
  const { looked: seen, images } = view.progress;
  $("progress").max = images;
  $("progress").value = seen;
  $("who").textContent =
    `${count(seen, "image", "images")} of ${images.toLocaleString("en")} looked at; ` +
    `${state.reviewer}: ${view.mine.toLocaleString("en")}`;
  $("where").textContent = view.done ? "" :
    `${state.queue}, from image ${(view.position + 1).toLocaleString("en")}:`;
  $("done").hidden = !view.done;
  $("grid").replaceChildren(...view.images.map(tile));
  $("accept").disabled = !view.images.length;
  point();
  for (const image of view.then ?? []) new Image().src = thumbnail(image);
  say(view.done ? "Nothing is left to look at." :
    `${count(view.images.length, "image", "images")}, from ${view.position + 1}.`);
  scrollTo(0, 0);
}

function tile(image, place) {
  const li = document.createElement("li");
  const button = document.createElement("button");
  button.className = "tile";
  button.type = "button";
  const picture = document.createElement("img");
  picture.src = thumbnail(image);
  picture.alt = "";
  picture.draggable = false;
  picture.addEventListener("error", () => {
    const lost = document.createElement("span");
    lost.className = "lost";
    lost.textContent = "cannot be shown";
    picture.replaceWith(lost);
  });
  button.append(picture);
  button.addEventListener("click", () => { choose(place); toggle(); });
  button.addEventListener("dblclick", () => { choose(place); open(); });
  button.addEventListener("focus", () => choose(place));
  const zoom = document.createElement("button");
  zoom.className = "zoom";
  zoom.type = "button";
  zoom.tabIndex = -1;
  zoom.textContent = "⤢";
  zoom.setAttribute("aria-label", `Image ${place + 1} at full size`);
  zoom.addEventListener("click", () => { choose(place); open(); });
  li.append(button, zoom);
  paint(li, place);
  return li;
}

function paint(li, place) {
  const flag = state.view.flags[place];
  const note = state.view.notes[place];
  const button = li.querySelector(".tile");
  const done = state.view.decided[place];
  button.setAttribute("aria-pressed", String(flag !== null));
  button.setAttribute("aria-label", `Image ${place + 1} of ${state.view.images.length}, ` +
    (flag === null ? "OK" : `marked: ${words(flag)}`) + (note ? `, note: ${note}` : "") +
    (done ? ", accepted" : ""));
  button.classList.toggle("looked", done);
  li.querySelector(".tag")?.remove();
  if (flag !== null || note) {
    const tag = document.createElement("span");
    tag.className = note ? "tag noted" : "tag";
    tag.textContent = flag === null ? "OK" : words(flag);
    li.append(tag);
  }
}

// The chosen image: one stop of the tab key for the whole grid.
function point(focus = true) {
  const tiles = [...document.querySelectorAll(".tile")];
  tiles.forEach((one, place) => { one.tabIndex = place === state.at ? 0 : -1; });
  if (focus && !document.querySelector("dialog[open]")) {
    tiles[state.at]?.focus({ preventScroll: true });
    tiles[state.at]?.scrollIntoView({ block: "nearest" });
  }
  paintFlags();
}

function choose(place) {
  if (state.at === place) return;
  state.at = place;
  point(false);
}

function paintFlags() {
  const flag = state.view?.flags[state.at] ?? null;
  for (const button of document.querySelectorAll(".flags button")) {
    button.setAttribute("aria-pressed", String((button.dataset.flag || null) === flag));
    button.disabled = !state.view?.images.length;
  }
}

async function goNext() { show(await looked(`/api/next?${query()}`)); }
async function goPage(more) { show(await looked(`/api/page?${query(more)}`)); }

function turn(step) {
  const { block, page, pages } = state.view;
  if (state.view.done) return goNext();
  if (page + step >= 0 && page + step < pages) return goPage({ block, page: page + step });
  if (block + step < 0) return undefined;
  return goPage({ block: block + step, page: step < 0 ? 1e6 : 0 })
    .catch(() => say("There is no further page."));
}

// --- what is done ----------------------------------------------------------------------------

function mark(flag, note = state.view.notes[state.at]) {
  const { view, at } = state;
  if (!view.images.length || state.waiting) return;
  view.flags[at] = flag;
  view.notes[at] = note;
  paint($("grid").children[at], at);
  paintFlags();
  say(flag === null ? `Image ${at + 1}: OK` : `Image ${at + 1}: ${words(flag)}`);
  box.send("/api/mark", {
    reviewer: state.reviewer, queue: state.queue, block: view.block, page: view.page,
    image: view.images[at], flag, note,
  }).catch(refused);
}

function toggle() { mark(state.view.flags[state.at] === null ? state.flags[0].name : null); }

function setFlag(name) { mark(state.view.flags[state.at] === name ? null : name); }

async function accept() {
  const { view } = state;
  if (!view?.images.length || state.waiting) return;
  state.waiting = true;
  $("accept").disabled = true;
  try {
    show(await box.send("/api/accept", {
      reviewer: state.reviewer, queue: state.queue, block: view.block, page: view.page,
      images: view.images, size: state.size,
    }));
  } catch (error) { refused(error); }
}

async function undo() {
  if (state.waiting) return;
  state.waiting = true;
  try {
    const back = await box.send("/api/undo", { reviewer: state.reviewer, size: state.size });
    state.waiting = false;
    if (!back.undone) { say("There is nothing to undo."); return; }
    state.queue = back.queue;
    show(back, back.undone === "mark" ? back.images.indexOf(back.image) : 0);
    say(back.undone === "mark" ? "A mark was undone." : "The page is open again.");
  } catch (error) { refused(error); }
}

function refused(error) {
  state.waiting = false;
  $("accept").disabled = false;
  trouble(error.message);
}

// --- full size -------------------------------------------------------------------------------

const zoom = { scale: 1, x: 0, y: 0 };

function place() {
  // Through the object model, which the page's policy allows, unlike a style in the markup.
  $("full-image").style.transform =
    `translate(${zoom.x}px, ${zoom.y}px) scale(${zoom.scale})`;
}

function scale(factor) {
  zoom.scale = Math.min(16, Math.max(1, zoom.scale * factor));
  if (zoom.scale === 1) zoom.x = zoom.y = 0;
  place();
}

async function open() {
  const image = state.view.images[state.at];
  if (image === undefined) return;
  Object.assign(zoom, { scale: 1, x: 0, y: 0 });
  place();
  $("full-image").alt = `Image ${state.at + 1}`;
  $("full-name").textContent = "";
  $("note").value = state.view.notes[state.at];
  if (!$("full").open) $("full").showModal();
  paintFlags();
  try {
    const answer = await fetch(`/image/${image}?of=${state.review}`);
    if (!answer.ok) throw new Error(await answer.text());
    const address = URL.createObjectURL(await answer.blob());
    if (state.view.images[state.at] !== image) { URL.revokeObjectURL(address); return; }
    $("full-image").onload = () => URL.revokeObjectURL(address);
    $("full-image").src = address;
    $("full-name").textContent = JSON.parse(answer.headers.get("x-image-name") ?? '""');
  } catch (error) {
    $("full-image").src = thumbnail(image);
    $("full-name").textContent = error.message;
  }
}

function keepNote() {
  const note = $("note").value;
  if ($("full").open && note !== state.view.notes[state.at]) {
    mark(state.view.flags[state.at], note);
  }
}

function step(by) {
  keepNote();
  const to = state.at + by;
  if (to < 0 || to >= state.view.images.length) return;
  state.at = to;
  point(false);
  open();
}

const fingers = new Map();
let apart = 0;
$("stage").addEventListener("pointerdown", event => {
  fingers.set(event.pointerId, event);
  $("stage").setPointerCapture(event.pointerId);
  apart = 0;
});
$("stage").addEventListener("pointermove", event => {
  const before = fingers.get(event.pointerId);
  if (!before) return;
  fingers.set(event.pointerId, event);
  if (fingers.size === 1) {
    if (zoom.scale > 1) {
      zoom.x += event.clientX - before.clientX;
      zoom.y += event.clientY - before.clientY;
      place();
    }
    return;
  }
  const [a, b] = [...fingers.values()];
  const now = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
  if (apart) scale(now / apart);
  apart = now;
});
for (const end of ["pointerup", "pointercancel"]) {
  $("stage").addEventListener(end, event => { fingers.delete(event.pointerId); apart = 0; });
}
$("stage").addEventListener("wheel", event => {
  event.preventDefault();
  scale(event.deltaY < 0 ? 1.25 : 0.8);
}, { passive: false });
$("full").addEventListener("close", () => { keepNote(); point(); });
$("note").addEventListener("change", keepNote);

// --- keys ------------------------------------------------------------------------------------

function columns() {
  const tops = [...document.querySelectorAll(".tile")].map(one => one.offsetTop +
    one.parentElement.offsetTop);
  const first = tops.findIndex(top => top !== tops[0]);
  return first < 0 ? tops.length : first;
}

function move(by) {
  const to = state.at + by;
  if (to < 0 || to >= state.view.images.length) return;
  state.at = to;
  point();
}

document.addEventListener("keydown", event => {
  if (!state.view || $("hello").open || event.altKey || event.metaKey) return;
  const typing = event.target.matches("input, select");
  const key = event.key;
  if (event.ctrlKey) {
    if (key === "z" && !typing) { event.preventDefault(); undo(); }
    return;
  }
  if (typing) {
    if (key === "Enter" && event.target.id === "note") {
      event.preventDefault();  // it would go on to the image, which gets the focus, and mark it
      keepNote();
      $("full").close();
    }
    return;
  }
  const isFull = $("full").open;
  if ($("keys").open) return;
  const flag = state.flags.find(one => one.key === key.toLowerCase());
  const onTile = event.target.matches(".tile, body, dialog");
  const act = {
    ArrowLeft: () => isFull ? step(-1) : move(-1),
    ArrowRight: () => isFull ? step(1) : move(1),
    ArrowUp: () => isFull || move(-columns()),
    ArrowDown: () => isFull || move(columns()),
    Home: () => isFull || move(-state.at),
    End: () => isFull || move(state.view.images.length - 1 - state.at),
    Enter: onTile && !isFull ? accept : null,
    " ": onTile ? toggle : null,
    x: toggle, u: undo, v: () => isFull ? $("full").close() : open(),
    n: () => { open(); $("note").focus(); },
    g: () => isFull || $("goto").focus(),
    h: () => isFull || $("keys").showModal(), "?": () => isFull || $("keys").showModal(),
    "[": () => isFull || turn(-1), "]": () => isFull || turn(1),
    "+": () => scale(1.5), "-": () => scale(1 / 1.5), 0: isFull ? () => scale(0) : null,
  }[key.length === 1 ? key.toLowerCase() : key];
  const does = flag && !(isFull && key === "0") ? () => setFlag(flag.name) : act;
  if (!does) return;
  event.preventDefault();
  // A key that is held down accepts no pages that nobody has seen, and marks nothing again.
  if (!event.repeat || /^(Arrow.*|[u+-])$/.test(key)) does();
});

$("accept").addEventListener("click", accept);
$("undo").addEventListener("click", undo);
$("next").addEventListener("click", goNext);
$("back").addEventListener("click", () => turn(-1));
$("forth").addEventListener("click", () => turn(1));
$("help").addEventListener("click", () => $("keys").showModal());
$("keys-close").addEventListener("click", () => $("keys").close());
$("close").addEventListener("click", () => $("full").close());
$("larger").addEventListener("click", () => scale(1.5));
$("smaller").addEventListener("click", () => scale(1 / 1.5));
$("full-before").addEventListener("click", () => step(-1));
$("full-after").addEventListener("click", () => step(1));
$("goto").addEventListener("keydown", event => {
  if (event.key !== "Enter") return;
  const number = parseInt($("goto").value.replace(/[^0-9]/g, ""), 10);
  $("goto").value = "";
  if (number >= 1) goPage({ position: number - 1 });
});
$("size").addEventListener("change", () => {
  state.size = Number($("size").value);
  localStorage.setItem("size", state.size);
  if (state.view?.done) goNext(); else goPage({ position: state.view.position });
});
addEventListener("beforeunload", event => { if (box.list.length) event.preventDefault(); });
addEventListener("online", () => box.flush());

// --- beginning -------------------------------------------------------------------------------

function flagButtons(under) {
  const names = [{ name: "", key: "" }, ...state.flags];
  under.replaceChildren(...names.map(({ name, key }) => {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.flag = name;
    if (key) {
      const hint = document.createElement("kbd");
      hint.textContent = key;
      hint.setAttribute("aria-hidden", "true");
      button.append(hint);
    }
    button.append(name ? words(name) : "OK");
    button.addEventListener("click", () => mark(name || null));
    return button;
  }));
}

async function begin() {
  history.replaceState(null, "", location.pathname);  // the token is in a cookie by now
  const start = await looked("/api/start");
  state.review = start.review;
  box.adopt();
  box.flush();
  state.flags = start.flags;
  state.queue = start.queue;
  $("title").textContent = start.title;
  document.title = `Review: ${start.title}`;
  flagButtons($("flags"));
  flagButtons($("full-flags"));
  $("flag-keys").textContent = start.flags.map(one => one.key).join(" ");
  $("flag-names").textContent = start.flags.map(one => words(one.name)).join(", ");
  state.size = Number(localStorage.getItem("size")) || (innerWidth < 704 ? 12 : 24);
  $("size").value = String(state.size);
  state.reviewer = localStorage.getItem("reviewer") ?? "";
  if (state.reviewer) return goNext();
  $("hello").addEventListener("cancel", event => event.preventDefault());
  $("hello-form").addEventListener("submit", event => {
    event.preventDefault();
    const name = $("name").value.trim().replace(/\s+/g, " ");
    if (!name) return;
    state.reviewer = name;
    localStorage.setItem("reviewer", name);
    $("hello").close();
    goNext();
  });
  $("hello").showModal();
  return undefined;
}

begin();
