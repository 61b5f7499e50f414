"""What ran: settings that differ from the recipe, the same training as Python, the commands, the full config."""

from __future__ import annotations

import dataclasses
import json
import shlex
from pathlib import Path
from typing import Any

from ganvas.config import to_dict
from ganvas.i18n import Translator
from ganvas.reports.facts import Facts
from ganvas.reports.html import flatten, plain
from ganvas.reports.section import Section, register
from ganvas.runs.run import OWN


def values(facts: Facts, say: Translator) -> dict[str, Any]:
    """The config in three forms."""
    return {
        "settled": ", ".join(f"{name} = {plain(value)}" for name, value in facts.settled.items()),
        "code": code(facts),
        "typed": _typed(facts),
        "config": flatten(to_dict(facts.config)),
    }


def code(facts: Facts) -> str:
    """This run in a few lines of Python, changed settings included."""
    amounts = {k: v for k, v in dataclasses.asdict(facts.config.budget).items() if v is not None} or {"epochs": 50}
    budget = ", ".join(f"{unit}={amount:g}" for unit, amount in amounts.items())
    if facts.config.recipe.startswith(OWN):
        return _own_code(facts, budget)
    names = facts.config.recipe, facts.config.data.name, f"runs/{facts.name}"
    recipe, data, run = (json.dumps(name, ensure_ascii=False) for name in names)
    lines = ["import ganvas"]
    extra = ""
    if facts.ideas:
        lines.append(f"settings = { ({name: facts.changes[name][1] for name in facts.ideas})!r}")
        extra = ", settings=settings"
    if facts.config.init_from:
        extra += f", init_from={json.dumps(facts.config.init_from, ensure_ascii=False)}"
    lines.append(f"ganvas.train({recipe}, data={data}, {budget}, seed={facts.config.seed}{extra})")
    return "\n".join([*lines, f"images = ganvas.load({run}).sample(16)"])


def _own_code(facts: Facts, budget: str) -> str:
    """The call of `fit` that trains a learner's own networks, which no recipe names."""
    changed = {name: facts.changes[name][1] for name in facts.named_ideas if name in facts.changes}
    losses = ", d_loss=..., g_loss=..." if str(changed.get("loss.name", "")).startswith(OWN) else ""
    settings = {name: value for name, value in changed.items() if not (losses and name == "loss.name")}
    named = [name for name in facts.named_ideas if name not in facts.changes]
    extra = f", tricks={json.dumps(named)}" if named else ""
    extra += f", settings={settings!r}" if settings else ""
    call = f"run = gan.fit({json.dumps(facts.config.data.name, ensure_ascii=False)}, {budget}, seed={facts.config.seed}"
    made = "gan = ganvas.GAN(make_generator, make_discriminator)  # the networks of this run, in networks.py"
    return "\n".join(["import ganvas", made, f"{call}{losses}{extra})"])


def _typed(facts: Facts) -> list[str]:
    """The commands as they were typed, one for each start of the process; a notebook's kernel is none."""
    commands = [[str(part) for part in row.get("argv") or []] for row in facts.env]
    typed = [argv for argv in commands if argv and "ipykernel_launcher" not in argv[0]]
    return [f"{_program(argv[0])} {shlex.join(argv[1:])}".rstrip() for argv in typed]


def _program(path: str) -> str:
    name = Path(path).name
    return "python -m ganvas" if name == "__main__.py" else shlex.quote(name)


TEMPLATE = """
  {% if facts.changes %}
  <p class="lead">{{ say("config.lead", recipe=facts.recipe.recipe)|inline }}</p>
  <div class="scroll"><table class="diff">
    <thead><tr><th scope="col">{{ say("config.name") }}</th><th scope="col">{{ say("config.before") }}</th><th scope="col">{{ say("config.now") }}</th></tr></thead>
    <tbody>{% for name, (old, new) in facts.changes.items() %}<tr><th scope="row"><code>{{ name }}</code></th><td><del>{{ plain(old) }}</del></td><td><ins>{{ plain(new) }}</ins></td></tr>{% endfor %}</tbody>
  </table></div>
  {% else %}
  <p class="lead">{{ say("config.none", recipe=facts.recipe.recipe)|inline }}</p>
  {% endif %}
  {% if settled %}
  <p class="note">{{ say("config.settled", settings=settled) }}</p>
  {% endif %}
  <div id="code"><p>{{ say("code.lead")|inline }}</p><pre><code>{{ code }}</code></pre>
  {% if typed %}<p>{{ say("code.ran") }}</p><pre><code>{{ typed|join("\\n") }}</code></pre>{% endif %}</div>
  <details><summary>{{ say("config.full") }}</summary>
    <div class="scroll"><table class="keys">{% for name, value in config.items() %}<tr><th scope="row"><code>{{ name }}</code></th><td>{{ value }}</td></tr>{% endfor %}</table></div>
  </details>
"""

SENTENCES = {
    "en": {
        "section.ran": "What ran",
        "config.before": "recipe",
        "config.full": "The full config",
        "config.lead": "Settings that differ from the recipe `{recipe}` as it was when the run started. The table comes from the config that really ran.",
        "config.name": "setting",
        "config.none": "No changes: the recipe `{recipe}` ran as it is.",
        "config.now": "this run",
        "config.settled": "Left open by the recipe and set when the run started: {settings}.",
        "code.lead": "The same training in Python:",
        "code.ran": "Commands as typed:",
    },
    "ko": {
        "section.ran": "실행한 설정",
        "config.before": "레시피",
        "config.full": "전체 설정",
        "config.lead": "실행 당시의 레시피 `{recipe}`와 달라진 설정입니다. 이 표는 실제로 실행된 설정에서 만들어졌습니다.",
        "config.name": "설정",
        "config.none": "달라진 설정이 없습니다. 레시피 `{recipe}`를 그대로 실행했습니다.",
        "config.now": "이번 실행",
        "config.settled": "레시피에서 정하지 않아 실행을 시작할 때 정해진 설정: {settings}.",
        "code.lead": "같은 학습을 파이썬으로 쓰면 다음과 같습니다.",
        "code.ran": "실제로 실행한 명령은 다음과 같습니다.",
    },
}

register(Section("ran", 80, "section.ran", values, TEMPLATE, SENTENCES))
