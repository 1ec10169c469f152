// CLUSTERS: the heatmap's latents as a tree, by what they write or by which tokens draw on them. A branch goes into the
// test as one; a cut says how alike the members of a cluster are.
import { html, nothing, svg } from "lit-html";
import { chooseLatent, testOnly, toggle } from "../actions.js";
import { branches, brush, clustersAt, everywhere, latentOf } from "../derive.js";
import { png } from "../png.js";
import { forgotten, set, state } from "../store.js";
import { brief, figures, plain, times } from "../text.js";
import { send } from "../wire.js";
import { term } from "../words.js";
import { going, trouble } from "./going.js";

const ROW = 22; // px of a leaf
const WAYS = [
  ["decoder", "decoder rows", "1 − cosine of decoder rows"],
  ["tokens", "use by words", "1 − correlation over words"],
];

export function openClusters(s) {
  const own = s.tree && s.tree.by === s.likeness;
  if (!own && !s.jobs.tree && !s.errors.tree) queueMicrotask(ask);
}
const ask = () => send("tree", { by: state.likeness }, "Comparing latents");

export function clustersTab(s) {
  const own = s.tree && s.tree.by === s.likeness ? s.tree : null;
  return html`<div class="sp-bar">
      <span class="sp-field">alike by</span>
      <div class="sp-segments" role="group" aria-label="By what latents are alike">
        ${WAYS.map(
          ([by, text]) =>
            html`<button
              type="button"
              data-likeness=${by}
              aria-pressed=${s.likeness === by}
              @click=${() => set({ likeness: by, errors: forgotten(s, "tree") })}
            >
              ${text}
            </button>`,
        )}
      </div>
      <span class="sp-gap"></span>${png()}
    </div>
    ${going(s, "tree")} ${trouble(s, "tree", ask)}
    ${own ? drawn(s, own) : s.errors.tree ? nothing : html`<div class="sp-ghost sp-ghost-tall"></div>`}`;
}

function drawn(s, tree) {
  if (tree.leaves.length < 2) return html`<p class="sp-note sp-empty">Fewer than two latents fire here.</p>`;
  const title = WAYS.find(([by]) => by === tree.by)[2];
  const made = branches(tree);
  const cut = s.cut[tree.by];
  const most = Math.max(...made.map((branch) => branch.distance), cut) * 1.04;
  const groups = clustersAt(made, cut);
  const real = groups.filter((branch) => branch.of);
  return html`<p class="sp-note">
      ${times(real.length, "cluster")} among ${tree.leaves.length} latents, ${groups.length - real.length} by
      themselves, at this cut (${title}). Choose a branch to put it into the test.
    </p>
    <div class="sp-tree" style="--row:${ROW}px">
      <span class="sp-treehead">${axis(tree, cut, most)}</span>
      <div class="sp-leaves" role="group" aria-label="Latents">${tree.leaves.map((id) => leaf(s, id))}</div>
      ${limbs(s, tree, made, cut, most)}
      <div class="sp-groups" role="group" aria-label="Clusters, each tested as one">
        ${real.map((branch) => group(s, tree, branch))}
      </div>
    </div>
    <p class="sp-note">
      A ${term("tree", "tree of likeness")}: the further right two branches meet, the less alike they are. ∀
      fires everywhere.
    </p>`;
}

function axis(tree, cut, most) {
  const title = WAYS.find(([by]) => by === tree.by)[2];
  const marks = [0, 0.5, 1, 1.5, 2].filter((v) => v <= most);
  return html`<label class="sp-cut"
      ><span>cut at ${figures(cut)}</span>
      <input
        type="range"
        data-cut
        min="0"
        max=${most}
        step="0.01"
        aria-label="Cut: ${title}"
        .value=${String(cut)}
        @input=${(e) => set({ cut: { ...state.cut, [tree.by]: +e.target.value } })} /></label
    ><span class="sp-marks" aria-hidden="true"
      >${marks.map((v) => html`<i style="left:${((100 * v) / most).toFixed(1)}%">${v}</i>`)}</span
    >`;
}

const held = (s, id) => (s.hover?.branch ? s.hover.branch.includes(id) : false);

function leaf(s, id) {
  const l = latentOf(s.analysis, id);
  const picked = s.picked.includes(id);
  const lit = held(s, id) || s.latent === id || brush(s).latent === id;
  return html`<button
    type="button"
    class="sp-leaf ${lit ? "sp-lit" : ""} ${s.hover?.branch && !lit ? "sp-dim" : ""}"
    data-leaf=${id}
    aria-pressed=${s.latent === id}
    title="${plain(l)} #${id}: where it fires"
    @click=${() => chooseLatent(id)}
    @pointerenter=${() => set({ hover: { latent: id } })}
    @pointerleave=${() => set({ hover: null })}
  >
    ${picked ? "✓ " : ""}${brief(l)} ${everywhere(l) ? "∀" : nothing}
  </button>`;
}

function limbs(s, tree, made, cut, most) {
  const high = ROW * tree.leaves.length;
  const x = (distance) => (100 * distance) / most;
  const y = (at) => ROW * (at + 0.5);
  const limb = (branch) => {
    const [a, b] = branch.of;
    const path = `M${x(a.distance)} ${y(a.at)}H${x(branch.distance)}V${y(b.at)}H${x(b.distance)}`;
    const on = branch.leaves.every((id) => s.picked.includes(id));
    const lit = s.hover?.branch?.join() === branch.leaves.join() ? "sp-lit" : "";
    const names = [...new Set(branch.leaves.map((id) => plain(latentOf(s.analysis, id))))]
      .slice(0, 6)
      .join(", ");
    return svg`<g
      class="${branch.distance <= cut ? "sp-one" : ""} ${on ? "sp-on" : ""} ${lit}"
      data-branch=${branch.leaves.join()}
      @click=${() => toggle(branch.leaves)}
      @pointerenter=${() => set({ hover: { branch: branch.leaves } })}
      @pointerleave=${() => set({ hover: null })}
    ><title>${branch.leaves.length} latents: ${names}; they meet at ${figures(branch.distance)}</title
    ><path d=${path} class="sp-reach" /><path d=${path} /></g>`;
  };
  return html`<svg
    class="sp-limbs"
    viewBox="0 0 100 ${high}"
    preserveAspectRatio="none"
    style="height:${high}px"
    role="img"
    aria-label="${tree.leaves.length} latents in a tree; clusters at the cut are buttons beside it"
  >
    <line x1=${x(cut)} x2=${x(cut)} y1="0" y2=${high} class="sp-zero" />
    ${made.filter((branch) => branch.of).map(limb)}
  </svg>`;
}

/** A cluster beside its leaves: into the test with a click, or tested at once. */
function group(s, tree, branch) {
  const ids = branch.leaves;
  const on = ids.every((id) => s.picked.includes(id));
  const first = Math.min(...ids.map((id) => tree.leaves.indexOf(id)));
  return html`<div class="sp-group ${on ? "sp-on" : ""}" style="--at:${first};--many:${ids.length}">
    <button
      type="button"
      class="sp-link"
      data-group-put=${ids.join()}
      aria-pressed=${on}
      title="In or out of the test"
      @click=${() => toggle(ids)}
      @pointerenter=${() => set({ hover: { branch: ids } })}
      @pointerleave=${() => set({ hover: null })}
    >
      ${on ? "✓ " : ""}${ids.length}<span>&nbsp;latents</span>
    </button>
    <button
      type="button"
      class="sp-quietly"
      data-group-test=${ids.join()}
      ?disabled=${!!s.jobs.test}
      title="Switches these ${ids.length} off and asks again"
      @click=${() => testOnly(ids)}
    >
      Test
    </button>
  </div>`;
}
