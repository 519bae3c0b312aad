// @ts-check
/** The caller's tokens: what programs sign in with. Made, shown once, and deleted; sessions of browsers too. */

import { own, useData } from "../../lib/api.js";
import { shellWord, TRACKING } from "../../lib/commands.js";
import { ago, date, exactDate } from "../../lib/format.js";
import { useKeys } from "../../lib/keys.js";
import { html, useEffect, useState } from "../../lib/preact.js";
import { href } from "../../lib/router.js";
import { forget, useSession } from "../../lib/session.js";
import { Button, Command } from "../../ui/button.js";
import { Dialog, Field, FormDialog } from "../../ui/dialog.js";
import { useSheet } from "../../ui/sheet.js";
import { Empty, Failed, Loading } from "../../ui/states.js";
import { say } from "../../ui/toast.js";

/** @typedef {{ name: string, creation_time: number, expiry_time: number | null, session: boolean, current: boolean }} Token */

export function View() {
  useSheet("views/session/style.css");
  const session = useSession();
  useEffect(() => {
    document.title = "Tokens · projrun";
  }, []);
  if (!session) return html`<${Loading} />`;
  if (!session.users) {
    return html`<${Empty} title="This server has no users"><p>Programs need no token here.</p><p><a href=${href("/experiments")}>To the experiments</a></p></${Empty}>`;
  }
  return html`<${Tokens} user=${session.user?.name ?? "NAME"} may=${!session.read_only && session.signed_in_by !== "token"} />`;
}

/** @param {{ user: string, may: boolean }} props */
function Tokens({ user, may }) {
  const { data, error, reload } = useData("tokens", (how) => own("GET", "tokens", {}, how));
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState("");
  const [deleting, setDeleting] = useState(/** @type {Token | null} */ (null));
  useKeys(may ? [{ keys: "n", does: "New token", call: () => setMaking(true) }] : []);
  /** @type {Token[]} */
  const all = data?.tokens ?? [];
  const tokens = all.filter((token) => !token.session);
  const sessions = all.filter((token) => token.session).sort((one, other) => other.creation_time - one.creation_time);
  return html`<div class="view tokens">
    <div class="head">
      <h1>Tokens</h1>
      <span class="space"></span>
      ${may && html`<${Button} kind="primary" icon="plus" onClick=${() => setMaking(true)}>New token</${Button}>`}
    </div>
    <p class="muted intro">A token lets a program sign in as you. It may do what you may do, until it ends or is deleted.</p>
    ${error && html`<${Failed} error=${error} retry=${reload} />`} ${!data && !error && html`<${Loading} rows=${4} />`}
    ${data && !tokens.length && html`<${Empty} title="No tokens"><p>Create one here, or in a terminal on the server:</p><${Command}>${`projrun server tokens create ${shellWord(user)} laptop --days 90`}</${Command}></${Empty}>`}
    ${tokens.length > 0 && html`<${List} tokens=${tokens} may=${may} onDelete=${setDeleting} />`}
    ${sessions.length > 0 && html`<h2>Browsers</h2><${List} tokens=${sessions} may=${may} onDelete=${setDeleting} />`}
    ${making &&
    html`<${NewToken}
      onClose=${() => setMaking(false)}
      onDone=${(/** @type {string} */ token) => {
        setMade(token);
        reload();
      }}
    />`}
    ${made && html`<${Made} token=${made} onClose=${() => setMade("")} />`}
    ${deleting && html`<${DeleteToken} token=${deleting} onClose=${() => setDeleting(null)} onDone=${reload} />`}
  </div>`;
}

/** @param {{ token: Token, onClose: () => void, onDone: () => void }} props */
function DeleteToken({ token: { name, session, current }, onClose, onDone }) {
  const remove = async () => {
    await own("DELETE", "tokens", { name });
    say(session ? "Signed that browser out" : `Deleted the token ${name}`);
    if (current) await forget();
    else onDone();
  };
  return html`<${FormDialog} title=${session ? "Sign this browser out?" : `Delete the token ${name}?`} action=${session ? "Sign out" : "Delete"} danger onClose=${onClose} onSubmit=${remove}>
    <p>${session ? "Whoever uses it has to sign in again." : "Programs that use it can no longer sign in."}</p>
  </${FormDialog}>`;
}

/** @param {{ tokens: Token[], may: boolean, onDelete: (token: Token) => void }} props */
function List({ tokens, may, onDelete }) {
  return html`<table class="table">
    <thead>
      <tr>
        <th class="first">Name</th>
        <th>Created</th>
        <th>Ends</th>
        <th><span class="unseen">Actions</span></th>
      </tr>
    </thead>
    <tbody>
      ${tokens.map(
        (token) => html`<tr key=${token.name}>
          <td class="first">${token.session ? "Session" : token.name} ${token.current && html`<span class="chip">this browser</span>`}</td>
          <td class="time" title=${exactDate(token.creation_time)}>${ago(token.creation_time)}</td>
          <td class="time" title=${exactDate(token.expiry_time ?? undefined)}><${Ends} time=${token.expiry_time} /></td>
          <td class="number">
            ${may && html`<${Button} kind="quiet" icon=${token.session ? "out" : "trash"} label=${token.session ? "Sign out" : `Delete ${token.name}`} onClick=${() => onDelete(token)} />`}
          </td>
        </tr>`,
      )}
    </tbody>
  </table>`;
}

/** @param {{ time: number | null }} props */
function Ends({ time }) {
  if (time === null) return html`<span>never</span>`;
  return time < Date.now() ? html`<span class="over">has ended</span>` : html`<span>${date(time)}</span>`;
}

const DAYS = /** @type {const} */ ([
  ["7", "in 7 days"],
  ["30", "in 30 days"],
  ["90", "in 90 days"],
  ["365", "in a year"],
  ["", "never"],
]);

/** @param {{ onClose: () => void, onDone: (token: string) => void }} props */
function NewToken({ onClose, onDone }) {
  const [name, setName] = useState("");
  const [days, setDays] = useState("90");
  const submit = async () => onDone((await own("POST", "tokens", { name: name.trim(), days: days ? Number(days) : null })).token);
  return html`<${FormDialog} title="New token" action="Create" disabled=${!name.trim()} onClose=${onClose} onSubmit=${submit}>
    <${Field} label="Name" hint="What it is for, such as laptop or ci">
      <input value=${name} autofocus required maxlength="255" onInput=${(/** @type {any} */ event) => setName(event.target.value)} />
    </${Field}>
    <${Field} label="Ends">
      <select value=${days} onChange=${(/** @type {any} */ event) => setDays(event.target.value)}>
        ${DAYS.map(([value, text]) => html`<option value=${value} selected=${value === days}>${text}</option>`)}
      </select>
    </${Field}>
  </${FormDialog}>`;
}

/** @param {{ token: string, onClose: () => void }} props */
function Made({ token, onClose }) {
  return html`<${Dialog} title="Copy the token now" onClose=${onClose}>
    <p>It is not shown again. Programs sign in with it:</p>
    <${Command}>${TRACKING}</${Command}>
    <${Command}>${`export MLFLOW_TRACKING_TOKEN=${token}`}</${Command}>
    <footer><${Button} kind="primary" onClick=${onClose}>Done</${Button}></footer>
  </${Dialog}>`;
}
