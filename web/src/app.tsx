import { lazy, type ReactNode, Suspense, useEffect, useRef, useState } from "react";
import { useLogin } from "./lib/api";
import { base, href, type Place, usePlace } from "./lib/router";
import { leaf } from "./lib/swift";
import { applyTheme, chooseTheme, theme } from "./lib/theme";
import { Boundary } from "./parts/Boundary";
import { Bird, Icon } from "./parts/Icon";
import { Link } from "./parts/Link";
import { Catalogue } from "./views/Catalogue";
import { FileView } from "./views/FileView";
import { Login } from "./views/Login";

const Explorer = lazy(() => import("./views/Explorer"));
const Ask = lazy(() => import("./views/Ask"));
const Points = lazy(() => import("./views/Points"));

const TITLES: Record<Place["view"], string> = { browse: "", file: "", explore: "Explorer", ask: "Ask", points: "3D", raw: "Raw file", login: "Log in" };

export function App() {
  const place = usePlace();
  const main = useRef<HTMLElement>(null);
  useEffect(applyTheme, []);
  useEffect(() => {
    document.title = [TITLES[place.view], leaf(place.path), "Apus"].filter(Boolean).join(" · ");
  }, [place.view, place.path]);
  const isWide = place.view === "explore" || place.view === "points";
  return (
    <div className="shell">
      <button type="button" className="button skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <Top place={place} />
      <main ref={main} tabIndex={-1} className={isWide ? "wide" : undefined}>
        <Boundary key={`${place.view}/${place.path}`}>
          <Suspense fallback={<p className="muted" style={{ padding: 24 }}>Loading…</p>}>{viewOf(place)}</Suspense>
        </Boundary>
      </main>
      {!isWide && <Foot />}
    </div>
  );
}

function viewOf(place: Place): ReactNode {
  const key = place.path;
  if (place.view === "browse" || (place.view !== "login" && !place.path)) return <Catalogue place={place} />;
  if (place.view === "file" || place.view === "raw") return <FileView key={key} place={place} />;
  if (place.view === "explore") return <Explorer key={key} place={place} />;
  if (place.view === "ask") return <Ask key={key} place={place} />;
  if (place.view === "points") return <Points key={key} place={place} />;
  return <Login />;
}

function Top({ place }: { place: Place }) {
  const login = useLogin();
  return (
    <header className="top">
      <div className="inner">
        <Link className="brand" href={href("browse")} aria-label="Apus, to the catalogue">
          <Bird />
          Apus
        </Link>
        <nav aria-label="Main">
          <Link href={href("browse")} aria-current={place.view === "browse" ? "page" : undefined}>
            Catalogue
          </Link>
          <a href={`${base.pathname}docs/`}>API</a>
        </nav>
        <ThemeButton />
        <Link className="button small" href={href("login")} aria-label={login ? `Logged in as ${login.name}` : undefined}>
          <Icon name="user" />
          <span className="who">{login ? login.name : "Log in"}</span>
        </Link>
      </div>
    </header>
  );
}

function ThemeButton() {
  const [now, setNow] = useState(theme());
  const other = now === "dark" ? "light" : "dark";
  return (
    <button
      type="button"
      className="button small quiet"
      aria-label={`Switch to the ${other} theme`}
      title={`Switch to the ${other} theme`}
      onClick={() => {
        chooseTheme(other);
        setNow(other);
      }}
    >
      <Icon name={now === "dark" ? "sun" : "moon"} />
    </button>
  );
}

function Foot() {
  return (
    <footer className="foot">
      <div className="row between">
        <span>
          Apus serves the output of <a href="https://swift.strw.leidenuniv.nl">SWIFT</a> simulations.
        </span>
        <a href={`${base.pathname}docs/`}>API documentation</a>
      </div>
    </footer>
  );
}
