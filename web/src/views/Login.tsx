import { setLogin, useLogin } from "../lib/api";
import { go, href } from "../lib/router";
import { useListing } from "../lib/swift";
import { Icon } from "../parts/Icon";
import { Link } from "../parts/Link";
import { LoginForm } from "../parts/LoginForm";

/** Logging in and out, and what one may see. */
export function Login() {
  const login = useLogin();
  const listing = useListing("");
  const entries = listing.state === "done" ? listing.value.entries : [];
  return (
    <div className="stack" style={{ maxWidth: 460, margin: "0 auto", gap: 22 }}>
      <h1>{login ? `You are ${login.name}` : "Log in"}</h1>
      {login ? (
        <>
          <p className="muted">The login lasts for an hour at most, and only in this tab.</p>
          <button type="button" className="button" onClick={() => setLogin(null)}>
            Log out
          </button>
        </>
      ) : (
        <>
          <p className="muted">With the account that whoever runs this server has given you. Public files need none.</p>
          <div className="panel padded">
            <LoginForm onDone={() => go(href("browse"))} />
          </div>
        </>
      )}
      <section className="stack">
        <h2>{login ? "What you may see" : "Without a login you may see"}</h2>
        {listing.state === "done" && entries.length === 0 && <p className="muted">Nothing.</p>}
        <ul className="stack" style={{ gap: 8 }}>
          {entries.map((entry) => (
            <li key={entry.name} className="row">
              <Icon name={entry.kind} />
              <Link href={href(entry.kind === "folder" ? "browse" : "file", entry.name)}>{entry.name}</Link>
            </li>
          ))}
        </ul>
      </section>
      <p className="small muted">
        Scripts should use an API token, which does not reveal your password. Make one where the server runs: <code>apus token create --user NAME --expires 30d --scope read</code>
      </p>
    </div>
  );
}
