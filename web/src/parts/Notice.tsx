import type { ReactNode } from "react";
import { type Failure, useLogin } from "../lib/api";
import { href, usePlace } from "../lib/router";
import { Link } from "./Link";
import { LoginForm } from "./LoginForm";

export function Notice(props: { title: string; children: ReactNode; bad?: boolean }) {
  return (
    <section className={props.bad ? "notice bad" : "notice"} role={props.bad ? "alert" : undefined}>
      <h2>{props.title}</h2>
      {props.children}
    </section>
  );
}

const UNREADABLE: Record<string, [string, string]> = {
  not_hdf5: ["This is not an HDF5 file", "It lies in a folder that is served, but has no HDF5 signature. It can still be downloaded as it is."],
  damaged: ["This file is damaged", "Part of it cannot be read as HDF5. If it is still being written, come back later; if not, copy it again from where it was made."],
  unsupported: ["This file uses a feature that is not supported", "The message names it; the documentation lists what is supported."],
  link_target: ["A link in this file leads nowhere", "An external link or a virtual source points outside the folders that are served, or to a file that is missing."],
  changed: ["This file changed while it was read", "Try again; if it is still being written, wait until it is complete."],
};

/** What went wrong, and what to do about it. */
export function FailureNotice({ failure, path, what = "page" }: { failure: Failure; path?: string; what?: string }) {
  const login = useLogin();
  const place = usePlace();
  const again = (
    <button type="button" className="button" onClick={() => window.location.reload()}>
      Try again
    </button>
  );
  if (failure.status === 0)
    return (
      <Notice title="The server does not answer" bad>
        <p>It may have been stopped, or the network is down. What was shown before may be out of date.</p>
        {again}
      </Notice>
    );
  if (failure.status === 401)
    return (
      <Notice title="Please log in again">
        <p>The login has expired. Logins last an hour.</p>
        <LoginForm />
      </Notice>
    );
  if (failure.status === 404)
    return (
      <Notice title={path ? `There is no ${what} “${path}” for you` : "Not found"}>
        <p>
          {login
            ? `${login.name} may not see it, or it does not exist. Somebody who runs this server can say which.`
            : "It does not exist, or only some people may see it. If you have an account, log in."}
        </p>
        <p className="detail">{failure.detail}</p>
        {!login && place.view !== "login" && <LoginForm />}
        <Link className="button" href={href("browse")}>
          To the catalogue
        </Link>
      </Notice>
    );
  const [title, help] = UNREADABLE[failure.code] ?? [failure.status === 503 ? "The server is busy" : "This did not work", failure.status === 503 ? "Others are being served; try again in a moment." : ""];
  return (
    <Notice title={title} bad>
      {help && <p>{help}</p>}
      <p className="detail">{failure.detail}</p>
      {failure.status === 503 && again}
    </Notice>
  );
}

export function InlineFailure({ failure }: { failure: Failure }) {
  return (
    <p className="inline-failure" role="alert">
      {failure.detail}
    </p>
  );
}
