// @ts-check
// Sends what is in a model's box, and shows the answer as text.

/**
 * @param {HTMLFormElement} form
 */
function prepare(form) {
  const body = /** @type {HTMLTextAreaElement} */ (form.querySelector("textarea"));
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
  const status = /** @type {HTMLElement} */ (form.querySelector(".status"));
  const answer = /** @type {HTMLElement} */ (form.querySelector(".answer"));
  const curl = /** @type {HTMLElement} */ (form.querySelector(".curl"));

  const tell = () => {
    const quoted = body.value.replaceAll("'", "'\\''");
    curl.textContent = `curl ${form.action} -H 'Content-Type: application/json' -d '${quoted}'`;
  };

  const send = async () => {
    button.disabled = true;
    const begin = performance.now();
    try {
      const headers = { "content-type": "application/json" };
      const response = await fetch(form.action, { method: "POST", headers, body: body.value });
      const text = await response.text();
      status.textContent = `${response.status} in ${Math.round(performance.now() - begin)} ms`;
      status.classList.toggle("failed", !response.ok);
      answer.textContent = text;
    } catch (error) {
      status.textContent = `The server cannot be reached: ${error}`;
      status.classList.add("failed");
      answer.textContent = "";
    }
    answer.hidden = !answer.textContent;
    button.disabled = false;
  };

  body.addEventListener("input", tell);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void send();
  });
  tell();
  form.hidden = false;
}

document.querySelectorAll("form").forEach(prepare);
