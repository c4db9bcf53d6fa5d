// Requests to the service that serves the page, and to no other.

import { useEffect, useState, useSyncExternalStore } from "react";
import { base, encodedPath } from "./router";

export class Failure extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
  ) {
    super(detail);
  }
}

export interface Login {
  name: string;
  token: string;
}

const LOGIN_KEY = "apus.login";
const listeners = new Set<() => void>();
let login: Login | null = storedLogin();

function storedLogin(): Login | null {
  try {
    return JSON.parse(sessionStorage.getItem(LOGIN_KEY) ?? "null") as Login | null;
  } catch {
    return null;
  }
}

/** Who is logged in, in this tab; forgotten when it is closed. */
export function useLogin(): Login | null {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => login,
  );
}

/** The login, for what is no part of a view. */
export const currentLogin = () => login;

export function setLogin(to: Login | null) {
  login = to;
  answers.clear();
  if (to) sessionStorage.setItem(LOGIN_KEY, JSON.stringify(to));
  else sessionStorage.removeItem(LOGIN_KEY);
  listeners.forEach((listener) => listener());
}

/** A JWT for a name and a password. Errors: the service's. */
export async function logIn(username: string, password: string) {
  const answer = await send("token", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ username, password }),
  });
  const { access_token } = (await answer.json()) as { access_token: string };
  setLogin({ name: username, token: access_token });
}

/** Takes an API token for a login, if the service accepts it. */
export async function logInWithToken(token: string) {
  const answer = await send("protected/", { headers: { Authorization: `Bearer ${token}` } });
  const { User } = (await answer.json()) as { User: string };
  setLogin({ name: User, token });
}

export function url(route: string, path: string, params?: Record<string, string | number | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params ?? {})) if (value !== undefined && value !== "") query.set(name, String(value));
  const text = query.toString().replaceAll("%2C", ",").replaceAll("%2F", "/").replaceAll("+", "%20");
  return `${route}/${encodedPath(path)}${text ? `?${text}` : ""}`;
}

/** As a person would type it: with the host, for a terminal or a script. */
export function absolute(relative: string): string {
  return new URL(relative, base).href;
}

export function authorization(): Record<string, string> {
  return login ? { Authorization: `Bearer ${login.token}` } : {};
}

/** Sends a request, with the login if there is one; waits and tries again if the service is busy. Errors: `Failure`. */
export async function ask(relative: string, init: RequestInit = {}): Promise<Response> {
  for (let tries = 0; ; tries++) {
    try {
      return await send(relative, { ...init, headers: { ...authorization(), ...init.headers } });
    } catch (failure) {
      if (!(failure instanceof Failure) || failure.status !== 503 || tries === 3) throw failure;
      await new Promise((resolve) => setTimeout(resolve, 1000 * (tries + 1)));
    }
  }
}

async function send(relative: string, init: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(new URL(relative, base), init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Failure(0, "gone", "The server does not answer.");
  }
  if (answer.ok) return answer;
  if (answer.status === 401 && login && new Headers(init.headers).has("Authorization")) setLogin(null);
  throw await failureOf(answer);
}

async function failureOf(answer: Response): Promise<Failure> {
  const text = await answer.text().catch(() => "");
  try {
    const problem = JSON.parse(text) as { code?: string; detail?: unknown };
    const detail = typeof problem.detail === "string" ? problem.detail : `The server answered ${answer.status}.`;
    return new Failure(answer.status, problem.code ?? "", detail);
  } catch {
    return new Failure(answer.status, "", `The server answered ${answer.status}.`);
  }
}

export type Asked<T> = { state: "loading" } | { state: "failed"; failure: Failure } | { state: "done"; value: T };

const answers = new Map<string, Promise<unknown>>();

export function askJson<T>(relative: string): Promise<T> {
  let answer = answers.get(relative) as Promise<T> | undefined;
  if (!answer) {
    answer = ask(relative).then((response) => response.json() as Promise<T>);
    answers.set(relative, answer);
    answer.catch(() => answers.delete(relative));
  }
  return answer;
}

/** The JSON at an address; asked for once, and anew for another login. Nothing is asked for `null`. */
export function useJson<T>(relative: string | null): Asked<T> {
  return useAsked(relative, askJson<T>);
}

export function useAsked<T>(key: string | null, get: (key: string) => Promise<T>): Asked<T> {
  const who = useLogin()?.token ?? "";
  const [asked, setAsked] = useState<{ key: string | null; who: string; value: Asked<T> }>({ key: null, who, value: { state: "loading" } });
  useEffect(() => {
    if (key === null) return;
    let wanted = true;
    const set = (value: Asked<T>) => wanted && setAsked({ key, who, value });
    get(key).then(
      (value) => set({ state: "done", value }),
      (error: unknown) => set({ state: "failed", failure: error instanceof Failure ? error : new Failure(0, "page", String(error)) }),
    );
    return () => {
      wanted = false;
    };
    // `get` is one function for each place that calls this.
  }, [key, who]);
  return asked.key === key && asked.who === who ? asked.value : { state: "loading" };
}

/** Saves what is at an address. Streams into the chosen file where the browser can, so that size does not matter. */
export async function download(relative: string, name: string) {
  if (!login) {
    const link = document.createElement("a");
    link.href = new URL(relative, base).href;
    link.download = name;
    link.click();
    return;
  }
  type Picker = (options: { suggestedName: string }) => Promise<{ createWritable(): Promise<WritableStream<Uint8Array>> }>;
  const picker = (window as { showSaveFilePicker?: Picker }).showSaveFilePicker;
  if (picker) {
    const file = await picker.call(window, { suggestedName: name });
    const answer = await ask(relative);
    await answer.body?.pipeTo(await file.createWritable());
    return;
  }
  const blob = await (await ask(relative)).blob();
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
