// @ts-check
/** The user at the right of the bar, and the way to the view that signs in. */

import { own, signingIn } from "../../lib/api.js";
import { html } from "../../lib/preact.js";
import { current, go, href } from "../../lib/router.js";
import { forget, useSession } from "../../lib/session.js";
import { Menu } from "../../ui/menu.js";
import { bar } from "../../ui/shell.js";
import { attempt } from "../../ui/toast.js";

/** Go to the view that signs in, and back to here afterwards. */
function signIn() {
  const here = current();
  // What is being written there is not lost: the dialog says why it cannot be sent.
  if (here.name === "signin" || document.querySelector("dialog[open], form.describe")) return;
  const query = new URLSearchParams(here.query).toString();
  go(href("/signin", { then: here.path + (query ? `?${query}` : "") }), { replace: true });
}

function User() {
  const session = useSession();
  if (!session) return null;
  const note = session.read_only && html`<span class="chip muted">read-only</span>`;
  if (!session.users) return note;
  if (!session.user) return html`${note}<a class="button" href=${href("/signin")}>Sign in</a>`;
  const out = () =>
    attempt(async () => {
      await own("DELETE", "session");
      await forget();
      go(href("/signin"));
    });
  /** @type {import("../../ui/menu.js").Item[]} */
  const items = [{ label: "Tokens", icon: "key", href: href("/tokens") }];
  if (session.signed_in_by === "session") items.push({ label: "Sign out", icon: "out", call: out });
  return html`${note}<${Menu} kind="quiet" icon="user" label=${`Signed in as ${session.user.name}`} text=${html`<span class="user clip">${session.user.name}</span>`} align="end" items=${items} />`;
}

signingIn.needed = signIn;
bar.extras.push(User);
