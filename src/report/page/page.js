// The page's script: the treemap, and opening what a link leads to. Everything else works without it.
(() => {
  const svgNames = "http://www.w3.org/2000/svg";

  /** Opens the task that the address names. */
  const openTarget = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (target instanceof HTMLDetailsElement) {
      target.open = true;
      target.querySelector("summary")?.focus();
    }
  };
  addEventListener("hashchange", openTarget);
  // A second choice of the same task changes no address.
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest('a[href^="#task-"]') : null;
    if (link !== null) setTimeout(openTarget);
  });
  openTarget();

  const source = document.getElementById("sizes");
  const map = document.getElementById("map");
  if (source === null || map === null) return;
  document.getElementById("treemap")?.removeAttribute("hidden");

  const compressed = /** @type {HTMLInputElement} */ (document.getElementById("compressed"));
  const search = /** @type {HTMLInputElement} */ (document.getElementById("search"));
  const matches = /** @type {HTMLElement} */ (document.getElementById("matches"));
  const crumbs = /** @type {HTMLElement} */ (document.getElementById("crumbs"));
  /** @typedef {{ name: string, before: number, after: number, children: Part[], parent: Part | undefined }} Part */
  /** @returns {Part} */
  const unpack = ([name, before, after, children = []], parent) => {
    const part = { name, before, after, children: [], parent };
    part.children = children.map((child) => unpack(child, part));
    return part;
  };
  const root = unpack(JSON.parse(source.textContent ?? "[]"), undefined);
  let shown = root;

  const colours = matchMedia("(prefers-color-scheme: dark)");
  const palette = () =>
    colours.matches
      ? ["#27557f", "#51447f", "#27603a", "#7a4a1d", "#6b3350", "#2b5f66"]
      : ["#b6d7f5", "#d9d2f0", "#c5e6cf", "#f8d9b0", "#f4cbd8", "#c6e3e6"];

  const bytes = (size) =>
    size < 1000
      ? `${size} B`
      : size < 1e6
        ? `${(size / 1000).toFixed(1)} kB`
        : `${(size / 1e6).toFixed(1)} MB`;
  const sizeOf = (part) => (compressed.checked ? part.after : part.before);
  const pathOf = (part) => (part.parent === undefined ? [part] : [...pathOf(part.parent), part]);

  const wanted = () => search.value.trim().toLowerCase();
  /** Whether a part or one below it has the name that is searched for. */
  let found = new Set();
  const look = () => {
    found = new Set();
    const word = wanted();
    let count = 0;
    const visit = (part) => {
      if (part.name.toLowerCase().includes(word)) {
        count += 1;
        for (const one of pathOf(part)) found.add(one);
      }
      for (const child of part.children) visit(child);
    };
    if (word !== "") visit(root);
    matches.textContent = word === "" ? "" : count === 1 ? "1 match" : `${count} matches`;
  };

  const element = (name, attributes) => {
    const one = document.createElementNS(svgNames, name);
    for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, String(value));
    return one;
  };

  const label = (part) => `${part.name}, ${bytes(part.before)}, ${bytes(part.after)} in the image`;

  const go = (part) => {
    shown = part.children.length === 0 ? (part.parent ?? root) : part;
    draw();
    map.querySelector(".part")?.focus();
  };

  /** A box for each part of at least some pixels; those of its own parts lie over it, and leave clicks to it. */
  const box = (node, depth, group) => {
    const part = node.data;
    const [width, height] = [node.x1 - node.x0, node.y1 - node.y0];
    if (width < 3 || height < 3) return;
    const state = found.size === 0 ? "" : found.has(part) ? " found" : " other";
    const one = element("g", { class: `part${state}` });
    const colour = palette()[(node.parent?.children.indexOf(node) ?? 0) % 6];
    const shades = { x: node.x0, y: node.y0, width, height, fill: colour };
    one.append(element("rect", shades));
    const title = element("title", {});
    title.textContent = label(part);
    one.append(title);
    if (width > 40 && height > 16) {
      const text = element("text", { x: node.x0 + 4, y: node.y0 + 13 });
      text.textContent = part.name.slice(0, Math.floor((width - 6) / 6.8));
      one.append(text);
    }
    if (depth > 1) one.setAttribute("pointer-events", "none");
    else {
      one.setAttribute("tabindex", "0");
      one.setAttribute("role", "button");
      one.setAttribute("aria-label", label(part));
      one.addEventListener("click", () => go(part));
      one.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        go(part);
      });
    }
    group.append(one);
    for (const child of node.children ?? []) box(child, depth + 1, group);
  };

  const draw = () => {
    const width = Math.max(240, map.clientWidth);
    const height = Math.max(240, Math.round(width * 0.5));
    // Two levels: deeper ones come when a part is entered.
    const within = (part, depth) => (depth < 2 ? part.children : []);
    const depths = new Map([[shown, 0]]);
    const tree = d3.hierarchy(shown, (part) => {
      const depth = depths.get(part) ?? 0;
      const children = within(part, depth);
      for (const child of children) depths.set(child, depth + 1);
      return children;
    });
    tree.each((node) => {
      node.value = sizeOf(node.data);
    });
    tree.sort((a, b) => b.value - a.value);
    d3.treemap().size([width, height]).paddingInner(1).paddingTop(18).round(true)(tree);
    const svg = element("svg", {
      viewBox: `0 0 ${width} ${height}`,
      role: "group",
      "aria-label": label(shown),
    });
    for (const child of tree.children ?? []) box(child, 1, svg);
    map.replaceChildren(svg);
    crumbs.replaceChildren(
      ...pathOf(shown).map((part) => {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = `${part.name}, ${bytes(sizeOf(part))}`;
        if (part === shown) button.setAttribute("aria-current", "true");
        button.addEventListener("click", () => go(part));
        return button;
      }),
    );
  };

  map.addEventListener("keydown", (event) => {
    if (event.key === "Escape" || event.key === "Backspace") {
      if (shown.parent !== undefined) go(shown.parent);
      return;
    }
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    const all = [...map.querySelectorAll('.part[tabindex="0"]')];
    const at = all.indexOf(document.activeElement);
    const next = all[(at + step + all.length) % all.length];
    if (next === undefined) return;
    event.preventDefault();
    next.focus();
  });
  compressed.addEventListener("change", draw);
  search.addEventListener("input", () => {
    look();
    draw();
  });
  colours.addEventListener("change", draw);
  let width = 0;
  new ResizeObserver(() => {
    if (map.clientWidth === width) return;
    width = map.clientWidth;
    draw();
  }).observe(map);
  draw();
})();
