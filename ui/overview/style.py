"""The look of Overview: large where the answer is, quiet where it is about numbers."""

from __future__ import annotations

import streamlit as st

TILE = 5.25
"""Width and height of a picture (rem): each pixel of an MNIST digit is 3 of the screen's."""
PICTURES_HEIGHT = 11.25
"""That of a group of pictures with its title, whatever it shows (rem)."""

_CARD = """
.st-key-overview_answer {
  border: 1px solid var(--ov-line); border-radius: .75rem; padding: clamp(1rem, 2.5vw, 2rem);
  container: answer / inline-size;
  background: linear-gradient(135deg, color-mix(in srgb, #2f7de1 7%, transparent),
                              transparent 45%, color-mix(in srgb, #e0700f 6%, transparent));
}
.stApp {
  --ov-line: rgba(138, 148, 166, .32); --ov-faint: rgba(138, 148, 166, .16);
  --ov-surface: var(--tl-surface); --ov-link: var(--tl-link);
  --ov-good: light-dark(#0b7332, #5fce85); --ov-bad: light-dark(#b42318, #ff9a8d);
}
.ov { color: inherit; font-size: .95rem; line-height: 1.5; font-variant-numeric: tabular-nums; }
.ov * { box-sizing: border-box; }
.ov p, .ov h2, .ov ul { margin: 0; padding: 0; text-wrap: pretty; }
.ov a { color: inherit; text-decoration: none; border-radius: .4rem; }
.ov a:focus-visible { outline: 2px solid var(--ov-link); outline-offset: 2px; }
.ov .quiet { opacity: .74; font-size: .85rem; }
.ov .dot { display: inline-block; width: .7em; height: .7em; border-radius: 2px;
           margin-right: .4em; flex: none; }
.ov .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; min-width: 0; }
.ov .sample { font-size: .72rem; padding: .05rem .4rem; border: 1px solid var(--ov-line);
              border-radius: 1rem; white-space: nowrap; opacity: .85; }
"""

_QUESTION = """
/* The heights are what the question takes at most: nothing below it moves when it is drawn. */
.ov .question { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1.15fr);
                gap: 1.5rem clamp(1.5rem, 4vw, 4rem); }
.ov .answer + p + .quiet { margin-top: .35rem; }
.ov .eyebrow { font-size: .75rem; font-weight: 650; letter-spacing: .08em;
               text-transform: uppercase; opacity: .74; }
.ov h2 { font-size: clamp(1.5rem, 3.4cqi, 2.15rem); line-height: 1.2; font-weight: 680;
         letter-spacing: -.015em; text-wrap: balance; margin: .3rem 0 .6rem; }
.ov .answer { font-size: clamp(1.15rem, 2.3cqi, 1.4rem); font-weight: 650; margin: 1rem 0 .25rem; }
.ov .sides { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 1rem; }
.ov .side { display: block; padding: 1rem; border: 1px solid var(--ov-line); border-radius: .6rem;
            background: var(--ov-surface); border-top: 3px solid var(--of); min-width: 0; }
.ov a.side:hover { border-color: var(--of); }
.ov .side .who { display: flex; align-items: center; gap: .4rem; font-weight: 600; }
.ov .who .dot { margin-right: 0; }
.ov .side .share { font-size: clamp(1.6rem, 3.6cqi, 2.3rem); font-weight: 680; line-height: 1.25;
                   letter-spacing: -.02em; color: var(--of); }
.ov .side.none { border-style: dashed; border-top: 1px dashed var(--ov-line); opacity: .8; }
.ov .axis { position: relative; height: 1.9rem; margin-top: .35rem; font-size: .72rem; }
.ov .axis u { position: absolute; inset: .35rem 0 auto; height: 2px; background: var(--ov-line); }
.ov .axis i { position: absolute; top: .15rem; height: calc(.4rem + 2px); border-radius: 1rem;
              background: var(--of); opacity: .4; min-width: 4px; }
.ov .axis b { position: absolute; top: .05rem; width: 3px; height: calc(.6rem + 2px);
              margin-left: -1px; background: var(--of); border-radius: 2px; }
.ov .axis span { position: absolute; bottom: 0; opacity: .74; }
.ov .axis span:last-child { right: 0; }
[class*="st-key-overview_question"] { min-height: 21.25rem; }
@container answer (max-width: 75rem) {
  [class*="st-key-overview_question"] { min-height: 23.5rem; }
  .st-key-overview_question_best { min-height: 25.3rem; }
}
@container answer (max-width: 47.5rem) {
  [class*="st-key-overview_question"] { min-height: 36rem; }
  .st-key-overview_question_best { min-height: 38rem; }
  .ov .question { grid-template-columns: minmax(0, 1fr); }
}
@container answer (max-width: 30rem) {
  [class*="st-key-overview_question"] { min-height: 48rem; }
  .st-key-overview_question_best { min-height: 53rem; }
}
@media (max-width: 480px) { .ov .side { padding: .75rem; } .ov .sides { gap: .6rem; } }
"""

_OUTCOMES = """
.ov .outcomes { margin-top: 1.25rem; position: relative; }
.ov .bar { display: flex; height: 1.1rem; border-radius: .3rem; overflow: hidden; gap: 1px; }
.ov .bar > * { min-width: 2px; background: var(--of); border-radius: 0; }
.ov .bar a:hover { filter: brightness(1.12); }
.ov .magnified { height: 1.1rem; background: var(--ov-faint);
                 clip-path: polygon(var(--from) 0, 100% 0, 100% 100%, 0 100%); }
.ov .large { height: 2rem; }
.ov .legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin-top: .5rem;
              font-size: .85rem; }
.ov .legend a { display: inline-flex; align-items: center; max-width: 100%; }
.ov .legend a:hover, .ov .title a:hover, .ov .runs a:hover .name { text-decoration: underline; }
.ov .legend b { margin-left: .4em; }
"""

_FITTING = "".join(
    f"@container (min-width: {count * (TILE + 1) - 0.5}rem) "
    f"{{ .ov .tile:nth-child({count}) {{ display: block; }} }}\n"
    for count in range(3, 9)
)
"""As many pictures as have room: the others are out of the keyboard's way too."""

_PICTURES = f"""
.st-key-overview_pictures {{ min-height: {PICTURES_HEIGHT}rem; }}
.ov .groups {{ display: grid; grid-template-columns: repeat(3, minmax(0, 1fr));
               gap: 1rem clamp(1rem, 2vw, 2rem); }}
.ov .group {{ container-type: inline-size; height: {PICTURES_HEIGHT}rem; overflow: hidden;
              min-width: 0; }}
.ov .title {{ display: flex; align-items: center; font-size: .9rem; font-weight: 600;
              height: 1.6rem; }}
.ov .title a {{ margin-left: auto; padding-left: .5rem; font-weight: 400; font-size: .82rem;
                white-space: nowrap; color: var(--ov-link); }}
.ov .tiles {{ display: flex; gap: .5rem; padding: .2rem; margin-left: -.45rem; }}
.ov .tile:nth-child(n+3) {{ display: none; }}
{_FITTING}
.ov .tile {{ flex: none; width: {TILE + 0.5}rem; padding: .2rem; font-size: .78rem;
             line-height: 1.45; border: 1px solid transparent; }}
.ov .tile:hover {{ border-color: var(--ov-line); background: var(--ov-faint); }}
.ov .tile .frame {{ display: flex; align-items: center; justify-content: center;
                    height: {TILE}rem; background: #000; border-radius: .3rem; overflow: hidden; }}
.ov .tile img {{ width: {TILE}rem; height: {TILE}rem; object-fit: contain; }}
.ov .tile .sharp {{ image-rendering: pixelated; }}
.ov .tile .said {{ display: flex; align-items: center; }}
.ov .tile .mark {{ margin-left: .35em; font-weight: 700; }}
.ov .tile .right {{ color: var(--ov-good); }}
.ov .tile .wrong {{ color: var(--ov-bad); }}
@container answer (max-width: 47.5rem) {{
  .ov .groups {{ grid-template-columns: minmax(0, 1fr); gap: .5rem; }}
  .st-key-overview_pictures {{ min-height: {3 * PICTURES_HEIGHT + 1}rem; }}
}}
"""

_NEXT = """
.st-key-overview_cards { display: grid; gap: 1rem;
                         grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); }
.st-key-overview_cards > div { width: 100% !important; height: 100%; }
.st-key-overview_cards [data-testid="stCaptionContainer"] { flex: 1; }
"""

_LISTS = """
.st-key-overview_lists { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr);
                         gap: 2rem clamp(1.5rem, 4vw, 4rem); }
.st-key-overview_lists > div { width: 100% !important; }
@media (max-width: 1100px) {
  .st-key-overview_lists { grid-template-columns: minmax(0, 1fr); }
}
.ov .runs { list-style: none; }
.ov .runs li { border-top: 1px solid var(--ov-faint); margin: 0; }
.ov .runs li:first-child { border-top: 0; }
.ov .runs a { display: grid; grid-template-columns: minmax(0, 1fr) 5rem 6.5rem; gap: 0 .75rem;
              align-items: baseline; padding: .45rem .25rem; }
.ov .runs a:hover { background: var(--ov-faint); }
.ov .runs .who { display: flex; align-items: baseline; gap: .4rem; min-width: 0; }
.ov .runs .share { font-weight: 600; text-align: right; }
.ov .runs .when { text-align: right; }
.ov .runs .why { grid-column: 1 / -1; padding-left: 1.1rem; }
.ov .sheet { display: block; width: 100%; max-width: 32rem; border-radius: .4rem;
             image-rendering: pixelated;
             background: #000; }
.ov .spark { display: block; width: 100%; height: 2.5rem; }
@media (max-width: 480px) { .ov .runs a { grid-template-columns: minmax(0, 1fr) 4.5rem; }
                            .ov .runs .when { display: none; } }
"""

SHEET = f"<style>{_CARD}{_QUESTION}{_OUTCOMES}{_PICTURES}{_NEXT}{_LISTS}</style>"


def put() -> None:
    """Have the page look so."""
    st.html(SHEET)
