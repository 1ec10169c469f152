"""The first screen and what lies behind it: look, concepts, heatmap, brushing; a latent's own page; bad input."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from scratchpad.benches import Benches
from scratchpad.errors import UserError
from scratchpad.records import dump
from scratchpad.sae.certificate import keep
from scratchpad.ui.layout import boot
from scratchpad.workbench import DEFAULT_MODEL, DEFAULT_SAE, Workbench
from tests.helpers import a_certificate
from tests.ui.conftest import PATIENCE, answer, ask, settled, visit

pytestmark = pytest.mark.browser
CARD = "#sp-concepts .sp-card"


def test_opens_on_an_analysed_and_tested_example(page: Page) -> None:
    assert answer(page) == "sand"
    expect(page.locator(CARD).first.locator(".sp-ref canvas")).to_have_count(4)
    expect(page.locator("#sp-test .sp-kind")).to_have_text("✓ supported")
    expect(page.locator("#sp-test .sp-in")).to_have_count(1)
    assert "own world" not in (page.evaluate("Scratchpad.state.page.note") or "")
    assert page.evaluate("Scratchpad.state.token === Scratchpad.state.page.open_token")


def test_every_token_has_its_own_map_and_its_own_ranking(page: Page) -> None:
    tokens = page.locator("#sp-look .sp-token.sp-prompt, #sp-look .sp-token.sp-output")
    maps, orders = set(), set()
    for i in range(tokens.count()):
        before = page.locator(".sp-map canvas").get_attribute("data-painted")
        tokens.nth(i).click()
        page.mouse.move(2, 2)
        expect(tokens.nth(i)).to_have_attribute("aria-pressed", "true")
        if i:
            expect(page.locator(".sp-map canvas")).not_to_have_attribute("data-painted", before or "")
        maps.add(page.locator(".sp-map canvas").evaluate("c => c.toDataURL()"))
        orders.add(tuple(page.locator(f"{CARD} .sp-says").all_inner_texts()))
    assert len(maps) == len(orders) == tokens.count()


def test_a_patch_lists_its_concepts_beside_the_map_counted_from_one(page: Page) -> None:
    canvas = page.locator(".sp-map canvas")
    canvas.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    expect(page.locator(".sp-patch")).to_contain_text("Patch in row 2, column 2")
    expect(page.locator("[data-scope=patch]")).to_have_attribute("aria-pressed", "true")
    own = page.evaluate("Scratchpad.derive.ofPatch(Scratchpad.state.analysis, Scratchpad.state.patch).map((l) => l.id)")
    shown = [int(card.get_attribute("data-id") or -1) for card in page.locator(CARD).all()]
    assert shown
    assert set(shown) <= set(own)
    page.locator(f"{CARD} .sp-name").first.click()
    expect(page.locator(".sp-what")).to_contain_text(f"#{shown[0]}")
    canvas.focus()
    page.keyboard.press("Escape")
    expect(page.locator(".sp-patch")).to_have_count(0)


def test_pointing_at_one_thing_lights_it_in_the_other_views_without_a_server(page: Page) -> None:
    asked: list[str] = []
    page.on(
        "request", lambda request: asked.append(request.url) if "component_server" in request.url or "queue/join" in request.url else None
    )
    painted = page.locator(".sp-map canvas").get_attribute("data-painted")
    page.locator(CARD).nth(1).hover()
    expect(page.locator(".sp-map canvas")).not_to_have_attribute("data-painted", painted or "")
    expect(page.locator(".sp-what")).to_contain_text("fires")
    assert page.evaluate("[...document.querySelectorAll('.sp-token')].some((t) => +t.style.getPropertyValue('--w') > 0.9)")
    page.locator("#sp-look .sp-token.sp-prompt").first.hover()
    expect(page.locator(".sp-cards.sp-brushed")).to_have_count(1)
    page.locator(".sp-map canvas").hover(position={"x": 250, "y": 330})
    lit = page.evaluate("[...document.querySelectorAll('.sp-card.sp-lit')].map((c) => +c.dataset.id)")
    under = page.evaluate("Scratchpad.derive.ofPatch(Scratchpad.state.analysis, Scratchpad.state.hover.patch).map((l) => l.id)")
    assert lit
    assert set(lit) <= set(under)
    assert asked == []


LARGE = """() => {
  const S = Scratchpad, a = S.state.analysis, n = 1000, t = 64, ids = [...Array(n).keys()], rows = [...Array(t).keys()];
  const tokens = rows.map((i) => ({ index: i, text: `t${i}`, role: 'output', logprob: -1 }));
  const noise = (m) => Float32Array.from({ length: m }, Math.random), by = (keys) => new Map(keys.map((k, i) => [k, i]));
  const large = { ...a, tokens, outputs: tokens, byIndex: new Map(tokens.map((x) => [x.index, x])), attention: noise(t * a.patches),
    attentionRow: by(rows), scoreRow: by(rows), active: ids, column: by(ids), scores: noise(t * n), means: noise(n),
    latents: new Map(ids.map((id) => [id, { ...a.ranked[0], id, sparsity: 0.1 }])),
    heatmap: { tokens: rows, latents: ids, raw: noise(t * n), values: noise(t * n), clusters: [{ id: 0, latents: ids }] } };
  S.set({ analysis: large, token: 0, latent: null, tab: 'TAB' });
}"""
TOUCHED = """async () => {
  const seen = [];
  const watch = new MutationObserver((all) => (seen[seen.length - 1] += all.length));
  watch.observe(document.querySelector('#sp-app'), { childList: true, subtree: true, characterData: true, attributes: true });
  for (let i = 0; i < 24; i++) {
    seen.push(0);
    Scratchpad.set({ hover: [{ latent: 7 * i }, { token: i }, { patch: i }][i % 3] });
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  }
  watch.disconnect();
  return seen;
}"""


@pytest.mark.parametrize("tab", ["heatmap", pytest.param("concepts", marks=pytest.mark.slow)])
def test_pointing_changes_as_little_with_a_thousand_latents(page: Page, tab: str) -> None:
    """Changes of the document at each of 24 things pointed at; milliseconds are printed by benchmarks.pointing."""
    page.evaluate(LARGE.replace("TAB", tab))
    page.wait_for_function("document.querySelectorAll('.sp-token').length >= 64")
    touched = page.evaluate(TOUCHED)
    assert sum(touched) > 0
    assert max(touched) < 400, touched  # 64 tokens have a style each; of 1,000 latents those on show alone


def test_the_filter_opens_over_what_it_filters_and_holds_for_every_view(page: Page) -> None:
    page.locator("#sp-concepts [data-filters] summary").click()
    slider = page.locator("[data-set=densest]")
    before = slider.bounding_box()
    slider.evaluate("e => { e.value = 0.15; e.dispatchEvent(new Event('input', { bubbles: true })) }")
    assert slider.bounding_box() == before, "it flees the pointer"
    dense = "Scratchpad.state.analysis.ranked.filter((l) => l.sparsity > 0.15).map((l) => l.id)"
    shown = [int(card.get_attribute("data-id") or -1) for card in page.locator(CARD).all()]
    assert not set(shown) & set(page.evaluate(dense))
    columns = "Scratchpad.derive.columns(Scratchpad.state).map((c) => Scratchpad.state.analysis.heatmap.latents[c])"
    assert not set(page.evaluate(columns)) & set(page.evaluate(dense))
    slider.evaluate("e => { e.value = 0; e.dispatchEvent(new Event('input', { bubbles: true })) }")
    expect(page.locator("#sp-concepts .sp-empty")).to_contain_text("No latent passes the filters")


def test_what_fires_everywhere_is_marked_and_within_reach(page: Page) -> None:
    chips = page.locator(".sp-scenery .sp-chip")
    ids = [int(chip.get_attribute("data-latent") or -1) for chip in chips.all()]
    dense = "(ids) => ids.every((id) => Scratchpad.state.analysis.latents.get(id).sparsity > 0.5)"
    assert ids
    assert page.evaluate(dense, ids)
    latent = ids[0]
    chips.first.click()
    expect(page.locator(".sp-what")).to_contain_text(f"#{latent}")
    page.locator(".sp-scenery [data-among]").evaluate("e => e.click()")
    expect(page.locator(f'{CARD}[data-id="{latent}"] .sp-dense')).to_contain_text("everywhere")


@pytest.mark.slow
def test_the_plain_ranking_and_both_side_by_side(page: Page) -> None:
    weighted = page.locator(f"{CARD} .sp-name").all_inner_texts()
    page.locator("[data-compare]").click()
    columns = page.locator(".sp-rankings ol")
    assert columns.nth(0).inner_text() != columns.nth(1).inner_text()
    everywhere = "(ids) => ids.filter((id) => Scratchpad.state.analysis.latents.get(id).sparsity > 0.5)"
    listed = [int(each.get_attribute("data-latent") or -1) for each in page.locator(".sp-rankings [data-latent]").all()]
    assert page.evaluate(everywhere, listed) == [], "the filter of the cards isn't that of the rankings"
    page.locator("[data-scope=picture]").click()
    assert page.locator(f"{CARD} .sp-name").all_inner_texts() != weighted


def test_the_heatmap_finds_what_is_under_the_pointer_its_turned_labels_too(page: Page) -> None:
    page.locator("#sp-tab-heatmap").click()
    canvas = page.locator("#sp-heatmap .sp-scroll canvas")
    ids = page.evaluate("Scratchpad.derive.columns(Scratchpad.state).map((c) => Scratchpad.state.analysis.heatmap.latents[c])")
    assert page.evaluate("(ids) => ids.every((id) => !(Scratchpad.state.analysis.latents.get(id).sparsity > 0.5))", ids)
    assert len(ids) > 30
    outputs = page.evaluate("Scratchpad.derive.rowsOf(Scratchpad.state).length")
    assert outputs == page.evaluate("Scratchpad.state.analysis.outputs.length")
    page.locator("[data-asked]").check()
    assert page.evaluate("Scratchpad.derive.rowsOf(Scratchpad.state).length") > outputs
    page.locator("[data-asked]").uncheck()
    canvas.click(position={"x": 104 + 20 * 5 + 10, "y": 132 + 11})
    assert page.evaluate("Scratchpad.state.latent") == ids[5]
    x, y = 104 + 20 * 3 + 13 + 40 / 1.732, 132 - 14 - 40  # 46 px along the label of the fourth column
    canvas.click(position={"x": x, "y": y})
    assert page.evaluate("Scratchpad.state.latent") == ids[3], "the end of a label chose its neighbour"
    expect(page.locator(".sp-readout")).to_contain_text("score")
    page.locator("[data-raw]").check()
    page.locator("#sp-heatmap [data-cluster]").first.click()
    size = int(page.locator("#sp-heatmap [data-cluster] small").first.inner_text())
    assert size <= page.locator("#sp-test .sp-in").count() <= size + 1
    assert page.evaluate("(() => { const b = document.querySelector('.sp-clusters'); return b.scrollHeight - b.clientHeight; })()") == 0


@pytest.mark.slow
def test_system_tokens_stay_open_when_one_is_chosen(page: Page) -> None:
    page.locator(".sp-hidden summary").click()
    page.locator(".sp-hidden .sp-token").first.click()
    expect(page.locator(".sp-hidden")).to_have_attribute("open", "")
    expect(page.locator(".sp-what")).to_contain_text("comes before the picture")


def test_a_latent_has_a_page_of_its_own_and_a_link_to_it(page: Page, address: str) -> None:
    latent = page.locator(CARD).first.get_attribute("data-id")
    page.locator("[data-read]").first.click()
    expect(page.locator("#sp-latent .sp-ref").first).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#sp-latent .sp-facts")).to_contain_text("of pictures")
    assert f"latent={latent}" in page.url
    visit(page, page.url)
    expect(page.locator("#sp-latent .sp-id").first).to_have_text(f"#{latent}")
    page.locator("#sp-latent .sp-ref").first.click()
    expect(page.locator(".sp-large")).to_contain_text("strong")
    page.keyboard.press("Escape")
    expect(page.locator(".sp-large")).to_have_count(0)


def test_a_link_to_another_sae_s_latent_is_read_by_that_sae_and_what_is_not_there_is_said(page: Page, address: str) -> None:
    """The index's label of a latent that doesn't fire is a guess wherever it stands."""
    context = page.context

    def linked(query: str) -> Page:
        """A page of its own: the one before may be opened anew by Gradio, which would end this one's way there."""
        return visit(context.new_page(), f"{address}/?{query}")

    page = linked("sae=emoji-middle&latent=220")
    page.wait_for_function("Scratchpad.state.reading?.data", timeout=PATIENCE)
    assert page.evaluate("[Scratchpad.state.analysis.sae.name, Scratchpad.state.reading.id]") == ["emoji-middle", 220]
    assert "sae=emoji-middle" in page.url
    expect(page.locator("#sp-latent h2 .sp-claim")).to_have_text("camel")
    page.locator("#sp-tab-sae").click()
    page.locator("#sp-sae input[type=search]").fill("camera")
    expect(page.locator(".sp-hits [data-show]").first).to_be_visible(timeout=PATIENCE)
    assert page.locator(".sp-hits .sp-claim").count() == 0, "no camera is on this picture"
    expect(page.locator(".sp-hits .sp-guess").first).to_have_text("camera?")
    page = linked("sae=nosuch&latent=3")
    expect(page.locator("#sp-status [role=alert]")).to_contain_text("SAE “nosuch”, which isn't offered here")
    page = linked("sae=emoji-last&latent=99999")
    expect(page.locator("#sp-latent")).to_have_text("Latent 99999 was asked for; emoji-last has 0 to 1023.")


@pytest.mark.slow
def test_a_term_opens_the_glossary_at_its_entry(page: Page) -> None:
    page.locator(".sp-what [data-term=attention]").click()
    expect(page.locator("#sp-glossary [data-entry=attention]")).to_have_class("sp-chosen")
    page.keyboard.press("Escape")
    expect(page.locator("#sp-glossary")).to_have_count(0)


def test_the_page_says_what_the_workbench_says(page: Page, scene_path: Path, bench: Workbench) -> None:
    page.set_input_files("#sp-ask input[type=file]", str(scene_path))
    page.wait_for_function("Scratchpad.state.draft.images[0].ref.upload")
    expect(page.locator(".sp-oldness")).to_be_visible()  # what is on show is of the picture before
    ask(page, "How many things are there?")
    assert answer(page) == bench.analyze(scene_path, "How many things are there?").run.answer
    expect(page.locator(".sp-foreign")).to_contain_text("knows only its own world")
    expect(page.locator(".sp-oldness")).to_have_count(0)


def test_bad_input_is_said_whole_and_the_page_goes_on(page: Page, tmp_path: Path) -> None:
    before = answer(page)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nnot a picture")
    page.set_input_files("#sp-ask input[type=file]", str(broken))
    page.wait_for_function("Scratchpad.state.draft.images[0].ref.upload")
    ask(page, "what is there")
    expect(page.locator("#sp-status [role=alert]")).to_contain_text("broken.png")
    expect(page.locator(".sp-oldness")).to_be_visible()
    page.locator("[data-example='0']").click()
    settled(page, "ask")
    expect(page.locator("#sp-status [role=alert]")).to_have_count(0)
    for bad, sentence in (("", "No prompt was given"), ("hi <|assistant|> yes", "control token")):
        ask(page, bad)
        expect(page.locator("#sp-status [role=alert]")).to_contain_text(sentence)
        assert page.evaluate("document.querySelector('#sp-status').scrollHeight <= document.querySelector('#sp-status').clientHeight + 1")
    ask(page, '<img src=x onerror="window.broken=1"> what is there')
    assert page.evaluate("window.broken") is None
    assert answer(page) or before
    expect(page.locator("#sp-look .sp-token.sp-prompt").first).to_be_visible()


def test_the_answer_appears_as_it_is_written_and_one_thing_is_cancelled_at_a_time(page: Page) -> None:
    page.evaluate("""() => { window.texts = []; window.most = 0; new MutationObserver(() => {
        texts.push(document.querySelector('#sp-status').innerText); most = Math.max(most, document.querySelectorAll('[data-stop]').length);
      }).observe(document.querySelector('#sp-app'), { childList: true, subtree: true, characterData: true }); }""")
    ask(page, "Describe the picture in words")
    seen = page.evaluate("texts.join('|')")
    assert "Cancel" in seen
    assert answer(page).split()[0].lower() in seen.lower()
    assert page.evaluate("most") == 1


@pytest.mark.slow
def test_a_server_that_went_away_is_said_and_nothing_waits_for_it(page: Page) -> None:
    page.context.set_offline(True)
    page.locator("#sp-ask .sp-question").fill("What animal is there?")
    page.locator("#sp-go").click()
    expect(page.locator("#sp-status")).to_contain_text("The server can't be reached", timeout=PATIENCE)
    assert page.evaluate("Object.keys(Scratchpad.state.jobs)") == []
    expect(page.locator("#sp-ask .sp-question")).to_have_value("What animal is there?")


@pytest.mark.slow
def test_a_question_that_was_typed_outlives_a_page_that_is_opened_anew(page: Page) -> None:
    """As Gradio does when its server is back."""
    question = page.locator("#sp-ask .sp-question")
    asked = question.input_value()
    question.fill("Is it larger than the house?")
    for expected in ("Is it larger than the house?", asked):  # once, as it is asked or wiped then
        visit(page, page.url)
        expect(question).to_have_value(expected)
        question.fill(asked)


@pytest.mark.slow
def test_layers_and_heads_are_chosen_and_read_again(page: Page) -> None:
    before = page.evaluate("[...Scratchpad.state.analysis.attention]")
    box = page.locator("[data-weighing]")
    box.locator("summary").click()
    box.locator("[data-attention=layers]").fill("2-4")
    box.locator("[data-attention=heads]").fill("1")
    box.locator("[data-weigh]").click()
    settled(page, "ask")
    assert page.evaluate("Scratchpad.state.analysis.settings.attention_layers") == [2, 3, 4]
    assert page.evaluate("[...Scratchpad.state.analysis.attention]") != before
    expect(page.locator(".sp-what")).to_contain_text("of layers 2-4, heads 1")
    expect(page.locator(".sp-trust")).to_contain_text("isn't measured")
    box.locator("summary").click()
    expect(box.locator("[data-attention=layers]")).to_have_value("2-4")
    box.locator("[data-attention=heads]").fill("99")
    box.locator("[data-weigh]").click()
    settled(page, "ask")
    expect(page.locator("#sp-status")).to_contain_text("expected one or more of 0 to 7")


def test_what_maps_are_worth_stands_first_for_what_is_asked_and_for_all_as_bars(page: Page) -> None:
    sets = page.evaluate("Scratchpad.state.analysis.attentionTrust.sets.map((row) => [row.dataset, row.images])")
    assert len(sets) > 1
    expect(page.locator(".sp-trust [data-measured]")).to_have_attribute("data-measured", sets[0][0])
    bars = page.locator(".sp-trust .sp-worth")
    assert [bar.get_attribute("data-worth") for bar in bars.all()] == [name for name, _ in sets]
    assert f" of {sets[-1][1]} with " in (bars.last.get_attribute("aria-label") or "")
    page.locator(".sp-trust .sp-link").click()
    expect(page.locator("#sp-tab-maps")).to_have_attribute("aria-selected", "true")


@pytest.mark.slow
def test_the_certificate_says_what_was_beaten_and_what_was_not(page: Page, bench: Workbench) -> None:
    """Of the SAE on show alone: a certificate of other weights is none."""
    certificate, badge = a_certificate(bench.sae.identity), page.locator("#sp-header [data-certificate]")
    put = "(list) => Scratchpad.set({ boot: { ...Scratchpad.state.boot, certificates: list } })"
    page.evaluate(put, [dump(replace(certificate, identity="0" * 16))])
    expect(badge).to_have_text("no certificate")
    page.evaluate(put, [dump(certificate)])
    expect(badge).to_have_text(f"beats {certificate.beaten} of {len(certificate.baselines)} baselines")
    badge.click()
    drawer = page.locator("#sp-certificate")
    expect(drawer.locator("tbody tr")).to_have_count(len(certificate.trained))
    for measure, spread in certificate.trained.items():
        cells = drawer.locator(f"[data-measure={measure}] td")
        expect(cells.nth(1)).to_contain_text(f"{spread.mean:.3f}")
        for n, baseline in enumerate(certificate.baselines):
            mark = {True: "✓", False: "✗", None: ""}[baseline.beaten.get(measure)]
            own = baseline.measures.get(measure)
            shown = cells.nth(2 + n).inner_text().split()
            assert shown[-1:] == ([mark] if mark else [])
            assert shown[:1] == ([f"{own.mean:.3f}".replace("-", "−")] if own else [])
    for baseline in certificate.baselines:
        says = drawer.locator(f"[data-baseline={baseline.name}]")
        expect(says).to_contain_text("beaten" if baseline.throughout else "not beaten in every measure")
        expect(says).to_contain_text(baseline.unmeasured or baseline.made)
    drawer.get_by_role("button", name="Close").click()
    expect(drawer).to_have_count(0)


def test_certificates_of_the_saes_offered_come_with_the_page(tmp_path: Path) -> None:
    sae = Path(shutil.copytree(DEFAULT_SAE, tmp_path / "sae", ignore=shutil.ignore_patterns("index")))
    benches = Benches([(DEFAULT_MODEL, sae)])
    own = benches.first
    for identity in (own.sae.identity, "0" * 16):
        keep(sae, a_certificate(identity))
        assert boot(benches, [], naming=False)["certificates"] == [dump(a_certificate(identity))]
        if identity == own.sae.identity:
            assert own.certificate() == a_certificate(identity)
    with pytest.raises(UserError, match="has no certificate"):
        own.certificate()
