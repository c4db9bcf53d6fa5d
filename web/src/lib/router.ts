// Addresses of the page. Each view has one that can be shared; it works under whatever prefix a reverse proxy gives the service.

import { useSyncExternalStore } from "react";

export const VIEWS = ["browse", "file", "explore", "ask", "points", "raw", "login"] as const;
export type View = (typeof VIEWS)[number];

export interface Place {
  view: View;
  /** The file or folder, without a slash in front. */
  path: string;
  params: URLSearchParams;
}

/** The address of the service, with a slash at its end. The server writes it into the page, relative to the page's own. */
export const base = new URL(".", document.baseURI);

export function parse(location: { pathname: string; search: string }): Place {
  const rest = location.pathname.startsWith(base.pathname) ? location.pathname.slice(base.pathname.length) : "";
  const [first = "", ...others] = rest.split("/");
  const view = VIEWS.find((one) => one === first) ?? "browse";
  const path = others.map(decoded).filter(Boolean).join("/");
  return { view, path, params: new URLSearchParams(location.search) };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

export function encodedPath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

export function href(view: View, path = "", params?: Record<string, string | undefined>): string {
  const query = new URLSearchParams(Object.entries(params ?? {}).filter((pair): pair is [string, string] => !!pair[1]));
  const text = query.toString().replaceAll("%2C", ",").replaceAll("%2F", "/");
  const tail = view === "browse" && !path ? "" : path ? `${view}/${encodedPath(path)}` : view;
  return base.pathname + tail + (text ? `?${text}` : "");
}

const listeners = new Set<() => void>();
let current = parse(window.location);

function changed() {
  current = parse(window.location);
  listeners.forEach((listener) => listener());
}
window.addEventListener("popstate", changed);

export function go(to: string, options: { replace?: boolean } = {}) {
  if (options.replace) window.history.replaceState(null, "", to);
  else {
    window.history.pushState(null, "", to);
    window.scrollTo(0, 0);
  }
  changed();
}

export function usePlace(): Place {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}

/** Sets some parameters of the present address, and drops those that are empty. */
export function setParams(changes: Record<string, string | undefined>, options = { replace: true }) {
  const params = Object.fromEntries(current.params);
  go(href(current.view, current.path, { ...params, ...changes }), options);
}
