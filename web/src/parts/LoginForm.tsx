import { type FormEvent, useState } from "react";
import { Failure, logIn, logInWithToken } from "../lib/api";

const REASONS: Record<number, string> = {
  0: "The server does not answer.",
  401: "The name or the password is wrong.",
  403: "The token is not accepted.",
  422: "Fill in both the name and the password.",
  429: "Too many failed logins. Wait a little, then try again.",
  503: "The service that checks logins is not available. Try again later.",
};

/** Name and password, or an API token as the password with no name. */
export function LoginForm({ onDone }: { onDone?: () => void }) {
  const [failure, setFailure] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const name = String(form.get("username") ?? "").trim();
    const password = String(form.get("password") ?? "");
    setBusy(true);
    setFailure(null);
    try {
      await (name ? logIn(name, password) : logInWithToken(password.trim()));
      onDone?.();
    } catch (error) {
      const status = error instanceof Failure ? error.status : -1;
      setFailure(!name && status === 401 ? "The token is not valid, or has expired." : (REASONS[status] ?? String(error)));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form className="stack login-form" onSubmit={(event) => void submit(event)}>
      <label className="field-label">
        Name
        <input className="input" name="username" autoComplete="username" autoCapitalize="none" spellCheck={false} />
      </label>
      <label className="field-label">
        Password, or an API token without a name
        <input className="input" name="password" type="password" autoComplete="current-password" required />
      </label>
      {failure && (
        <p className="inline-failure" role="alert">
          {failure}
        </p>
      )}
      <button className="button primary" disabled={busy}>
        {busy ? "Logging in…" : "Log in"}
      </button>
    </form>
  );
}
