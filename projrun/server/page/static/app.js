// @ts-check
/** The page begins here. */

import { Component, html, render, useEffect, useState } from "./lib/preact.js";
import { begin, current, href, useRoute } from "./lib/router.js";
import { applyTheme, Shell } from "./ui/shell.js";
import { Empty, Failed, Loading } from "./ui/states.js";
import { places, sections } from "./views/registry.js";

/** @type {Map<string, any>} */
const views = new Map();

/** @param {string} name of a place */
function load(name) {
  return places.find((each) => each.name === name)?.load().then((module) => void views.set(name, module.View));
}

function App() {
  const route = useRoute();
  const [, redraw] = useState(0);
  const [problem, setProblem] = useState(/** @type {Error | null} */ (null));
  const View = views.get(route.name);
  useEffect(() => {
    setProblem(null);
    if (View) return;
    load(route.name)?.then(
      () => redraw((old) => old + 1),
      () => setProblem(new Error("A part of the page could not be loaded. If the server was upgraded, load the page again.")),
    );
  }, [route.name]);
  const shown = () => {
    if (!route.name) return html`<${Nowhere} path=${route.path} />`;
    if (problem) return html`<${Failed} error=${problem} retry=${() => location.reload()} />`;
    return View ? html`<${View} route=${route} />` : html`<${Loading} />`;
  };
  // Another experiment or run is another view: nothing of the last one stays.
  const key = JSON.stringify([route.name, route.params]);
  return html`<${Shell} route=${route} sections=${sections}><${Guard} key=${key}>${shown()}</${Guard}></${Shell}>`;
}

/** @param {{ path: string }} props */
function Nowhere({ path }) {
  useEffect(() => {
    document.title = "Not found · projrun";
  }, []);
  return html`<${Empty} title="There is no such page"><p>${path}</p><p><a href=${href("/experiments")}>To the experiments</a></p></${Empty}>`;
}

/** A bug in a view leaves the rest of the page usable. */
class Guard extends Component {
  /** @param {any} props */
  constructor(props) {
    super(props);
    this.state = { error: null };
  }

  /** @param {Error} error */
  componentDidCatch(error) {
    console.error(error);
    this.setState({ error });
  }

  render() {
    const { error } = /** @type {{ error: Error | null }} */ (this.state);
    return error ? html`<${Failed} error=${error} retry=${() => this.setState({ error: null })} />` : this.props.children;
  }
}

applyTheme();
begin(places);
load(current().name)?.catch(() => {}); // at once, not when the first frame is drawn; App says what went wrong
render(html`<${App} />`, /** @type {Element} */ (document.querySelector("#page")));
