// The viewer of raw files, h5web: a document of its own, since its scripts need a looser policy than those of the page.

import { App, createBasicFetcher, H5GroveProvider } from "@h5web/app";
import "@h5web/app/styles.css";
import { createRoot } from "react-dom/client";
import { authorization, url, useJson, useLogin } from "./lib/api";
import { base, href, parse } from "./lib/router";
import { leaf } from "./lib/swift";
import { applyTheme } from "./lib/theme";
import { Bird, Icon } from "./parts/Icon";
import { FailureNotice } from "./parts/Notice";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/raw.css";

const { path } = parse(window.location);

function Raw() {
  useLogin();
  const root = useJson<unknown>(url("v1/object", path, { object: "/" }));
  return (
    <div className="raw">
      <header className="top">
        <div className="inner">
          <a className="brand" href={href("browse")} aria-label="Apus, to the catalogue">
            <Bird />
            Apus
          </a>
          <h1 className="raw-name">{leaf(path)}</h1>
          <a className="button small" href={href("file", path)}>
            <Icon name="file" /> The file
          </a>
        </div>
      </header>
      <main className="raw-main">
        {root.state === "failed" && (
          <div style={{ padding: 24 }}>
            <FailureNotice failure={root.failure} path={path} what="file" />
          </div>
        )}
        {root.state === "done" && (
          <H5GroveProvider url={new URL("h5grove", base).href} filepath={path} fetcher={createBasicFetcher({ headers: authorization() })}>
            <App disableDarkMode />
          </H5GroveProvider>
        )}
      </main>
    </div>
  );
}

applyTheme();
const element = document.getElementById("root");
if (element) createRoot(element).render(<Raw />);
