// @ts-check
/** Signing in with a name and a password. */

import { ApiError, own } from "../../lib/api.js";
import { html, useEffect, useState } from "../../lib/preact.js";
import { go, href, root } from "../../lib/router.js";
import { keep, useSession } from "../../lib/session.js";
import { Button, Command } from "../../ui/button.js";
import { Field } from "../../ui/dialog.js";
import { useSheet } from "../../ui/sheet.js";
import { Empty, Loading } from "../../ui/states.js";

/** @param {{ route: import("../../lib/router.js").Route }} props */
export function View({ route }) {
  useSheet("views/session/style.css");
  const session = useSession();
  useEffect(() => {
    document.title = "Sign in · projrun";
  }, []);
  if (!session) return html`<${Loading} />`;
  if (!session.users) {
    return html`<${Empty} title="This server has no users">
      <p>Whoever reaches it may use it. To let users sign in, create one and start it with <code>--auth</code>:</p>
      <${Command}>projrun server users create ann --admin</${Command}>
      <${Command}>projrun server --auth</${Command}>
      <p><a href=${href("/experiments")}>To the experiments</a></p>
    </${Empty}>`;
  }
  if (session.user) {
    return html`<${Empty} title=${`You are signed in as ${session.user.name}`}>
      <p><a href=${href("/experiments")}>To the experiments</a></p>
    </${Empty}>`;
  }
  return html`<${Form} then=${route.query.then ?? ""} />`;
}

/** @param {{ then: string }} props */
function Form({ then }) {
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    try {
      const session = await own("POST", "session", { username, password });
      go(place(then), { replace: true });
      keep(session);
    } catch (error) {
      setProblem(words(error));
      setPassword("");
      setBusy(false);
    }
  };
  return html`<div class="view signin">
    <h1>Sign in</h1>
    <p class="muted">to the tracking server ${location.host}</p>
    <form onSubmit=${submit}>
      <${Field} label="User name">
        <input name="username" autocomplete="username" autocapitalize="none" spellcheck=${false} autofocus required value=${username}
          onInput=${(/** @type {any} */ event) => setUsername(event.target.value)} />
      </${Field}>
      <${Field} label="Password">
        <input name="password" type="password" autocomplete="current-password" required value=${password}
          onInput=${(/** @type {any} */ event) => setPassword(event.target.value)} />
      </${Field}>
      ${problem && html`<p class="problem" role="alert">${problem}</p>`}
      <${Button} type="submit" kind="primary" disabled=${busy || !username || !password}>Sign in</${Button}>
    </form>
    <p class="muted small">No account? An administrator creates one: <code>projrun server users create NAME</code></p>
  </div>`;
}

/** Where to go on: a path of this page, never another address. @param {string} then */
function place(then) {
  // As the browser reads it, which leaves out tabs and takes \ for /.
  const found = then.startsWith("/") && URL.canParse(root + then.slice(1), location.href) ? new URL(root + then.slice(1), location.href) : null;
  return found?.origin === location.origin ? found.pathname + found.search : href("/experiments");
}

/** @param {unknown} error */
function words(error) {
  if (error instanceof ApiError && error.status === 401) return "Wrong user name or password.";
  if (error instanceof ApiError && error.status === 429) return "Too many wrong passwords. Wait a minute, then try again.";
  return error instanceof Error ? error.message : String(error);
}
