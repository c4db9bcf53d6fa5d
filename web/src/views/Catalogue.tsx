import { useMemo, useState } from "react";
import { useAsked, useLogin } from "../lib/api";
import * as format from "../lib/format";
import { href, setParams, type Place } from "../lib/router";
import { askInfo, boxText, countText, type Entry, type Info, join, kindName, nRows, redshiftText, useListing } from "../lib/swift";
import { Crumbs } from "../parts/Crumbs";
import { Icon } from "../parts/Icon";
import { Link } from "../parts/Link";
import { FailureNotice, Notice } from "../parts/Notice";
import { Picture, Placeholder, useSeen } from "../parts/Picture";
import { Runs } from "./Runs";

export interface Known {
  entry: Entry;
  path: string;
  info: Info | null;
  failure: string | null;
}

const SORTS: Record<string, string> = { name: "Name", redshift: "Redshift", size: "Size", particles: "Particles", modified: "Newest" };

export function Catalogue({ place }: { place: Place }) {
  const listing = useListing(place.path);
  const failed = listing.state === "failed" ? listing.failure : null;
  const login = useLogin();
  if (failed) return <FailureNotice failure={failed} path={place.path || "/"} what="folder" />;
  const entries = listing.state === "done" ? listing.value.entries : null;
  return (
    <>
      <Crumbs path={place.path} isFolder />
      <div className="page-head">
        <div>
          <h1>{place.path ? place.path.split("/").at(-1) : "Simulations on this server"}</h1>
          {!place.path && <p className="lead">Look at a snapshot, find a halo, draw a region around it, and take just that home as a file or as a line of code.</p>}
        </div>
      </div>
      {entries === null ? (
        <CardSkeletons />
      ) : entries.length === 0 ? (
        <Empty isRoot={!place.path} isLoggedIn={!!login} />
      ) : (
        <Entries key={place.path} place={place} entries={entries} />
      )}
    </>
  );
}

function Empty({ isRoot, isLoggedIn }: { isRoot: boolean; isLoggedIn: boolean }) {
  if (!isRoot)
    return (
      <Notice title="This folder is empty">
        <p>Nothing in it can be shown to you. Hidden files are left out.</p>
      </Notice>
    );
  return (
    <Notice title={isLoggedIn ? "There is nothing here for you yet" : "Nothing here is public"}>
      <p>
        {isLoggedIn
          ? "Your account may not see any of the folders that are served. Ask whoever runs this server for the roles that your work needs."
          : "If you have an account, log in to see what is served to you."}
      </p>
      {!isLoggedIn && (
        <Link className="button primary" href={href("login")}>
          Log in
        </Link>
      )}
      <p className="small">If you run this server: name the folder with your snapshots when you start it.</p>
      <p className="detail">apus serve /path/to/snapshots</p>
    </Notice>
  );
}

function Entries({ place, entries }: { place: Place; entries: Entry[] }) {
  const folders = entries.filter((entry) => entry.kind === "folder");
  const files = entries.filter((entry) => entry.kind === "file");
  const known = useKnown(place.path, files);
  const search = place.params.get("search") ?? "";
  const sort = place.params.get("sort") ?? "name";
  const kind = place.params.get("kind") ?? "";
  const asTable = place.params.get("as") === "table";
  const matches = (name: string, more = "") => search.toLowerCase().split(/\s+/).every((word) => `${name} ${more}`.toLowerCase().includes(word));

  const kinds = useMemo(() => {
    const counted = new Map<string, number>();
    for (const { info } of known) if (info) counted.set(kindName(info.kind), (counted.get(kindName(info.kind)) ?? 0) + 1);
    return [...counted].sort((a, b) => b[1] - a[1]);
  }, [known]);
  const shown = sorted(
    known.filter(({ entry, info }) => matches(entry.name, info ? [kindName(info.kind), info.header?.run_name ?? "", redshiftText(info) ?? ""].join(" ") : "") && (!kind || (info && kindName(info.kind) === kind))),
    sort,
  );
  const shownFolders = kind ? [] : folders.filter((folder) => matches(folder.name));
  return (
    <>
      <div className="finder" role="search">
        <label className="search">
          <span className="visually-hidden">Search this folder</span>
          <Icon name="search" />
          <input className="input" type="search" placeholder="Search names, runs, redshifts" value={search} onChange={(event) => setParams({ search: event.target.value })} />
        </label>
        <label>
          <span className="visually-hidden">Sort by</span>
          <select className="select" value={sort} onChange={(event) => setParams({ sort: event.target.value === "name" ? "" : event.target.value })}>
            {Object.entries(SORTS).map(([value, text]) => (
              <option key={value} value={value}>
                Sort by {text.toLowerCase()}
              </option>
            ))}
          </select>
        </label>
        <button type="button" className="button" aria-pressed={asTable} onClick={() => setParams({ as: asTable ? "" : "table" })}>
          <Icon name={asTable ? "grid" : "list"} />
          {asTable ? "Cards" : "Table"}
        </button>
      </div>
      <div className="chips" role="group" aria-label="Filter by kind">
        {kinds.length > 1 &&
          kinds.map(([name, n]) => (
            <button key={name} type="button" className="chip" aria-pressed={kind === name} onClick={() => setParams({ kind: kind === name ? "" : name })}>
              {name}
              <span className="n">{n}</span>
            </button>
          ))}
      </div>
      {shownFolders.length > 0 && (
        <ul className="folders">
          {shownFolders.map((folder) => (
            <li key={folder.name}>
              <Link className="folder" href={href("browse", join(place.path, folder.name))}>
                <Icon name="folder" />
                <span>{folder.name}</span>
              </Link>
            </li>
          ))}
        </ul>
      )}
      {!search && !kind && <Runs known={known} />}
      {shown.length + shownFolders.length === 0 && (
        <Notice title="Nothing matches">
          <p>No name, kind or run in this folder contains what you search for.</p>
          <button type="button" className="button" onClick={() => setParams({ search: "", kind: "" })}>
            Show everything
          </button>
        </Notice>
      )}
      {asTable ? <FileTable shown={shown} /> : (
        <ul className={shown.length < 4 ? "cards few" : "cards"}>
          {shown.map((one) => (
            <Card key={one.path} known={one} />
          ))}
        </ul>
      )}
    </>
  );
}

/** What each file is, as far as that has been answered; asked for a few at a time. */
function useKnown(folder: string, files: Entry[]): Known[] {
  const [infos, setInfos] = useState<Map<string, Info | string>>(new Map());
  const key = files.map((file) => file.name).join("\n");
  useAsked(`${folder}\n${key}`, async () => {
    const waiting = files.map((file) => join(folder, file.name));
    const one = async () => {
      for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
        const told = path;
        const info = await askInfo(told).catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
        setInfos((before) => new Map(before).set(told, info));
      }
    };
    await Promise.all([one(), one(), one(), one()]);
  });
  return files.map((entry) => {
    const path = join(folder, entry.name);
    const info = infos.get(path);
    return { entry, path, info: typeof info === "object" ? info : null, failure: typeof info === "string" ? info : null };
  });
}

function sorted(known: Known[], by: string): Known[] {
  const order: Record<string, (one: Known) => number> = {
    redshift: ({ info }) => info?.header?.redshift ?? Infinity,
    size: ({ entry }) => -(entry.size_bytes ?? 0),
    particles: ({ info }) => -(info ? nRows(info) : 0),
    modified: ({ entry }) => -(entry.modified_s ?? 0),
  };
  const value = order[by];
  const byName = (a: Known, b: Known) => a.entry.name.localeCompare(b.entry.name, "en", { numeric: true });
  return [...known].sort((a, b) => (value ? value(a) - value(b) : 0) || byName(a, b));
}

function Card({ known: { entry, path, info, failure } }: { known: Known }) {
  const [ref, seen] = useSeen<HTMLDivElement>();
  return (
    <li className="card">
      <div className="picture" ref={ref}>
        {failure ? <Placeholder /> : info && seen ? <Picture info={info} /> : <div className="skeleton" />}
      </div>
      <div className="body">
        <h2>
          <Link href={href("file", path)} aria-label={entry.name}>
            {format.breakable(entry.name)}
          </Link>
        </h2>
        <div className="meta">
          {failure ? <span>Cannot be read</span> : !info && <span className="skeleton">Reading the header</span>}
          {[info && redshiftText(info), info && boxText(info), info && countText(info)].filter(Boolean).map((text) => (
            <span key={text}>{text}</span>
          ))}
        </div>
        <div className="badges">
          {info ? <span className={`badge ${String(info.kind)}`}>{kindName(info.kind)}</span> : <span />}
          <span className="muted small">{format.bytes(entry.size_bytes ?? 0)}</span>
        </div>
      </div>
    </li>
  );
}

function FileTable({ shown }: { shown: Known[] }) {
  return (
    <div className="panel scroll-x" tabIndex={0} role="region" aria-label="Files">
      <table className="table">
        <thead>
          <tr>
            <th>
              <span className="visually-hidden">Picture</span>
            </th>
            <th>Name</th>
            <th>Kind</th>
            <th className="end">Redshift</th>
            <th className="end">Box</th>
            <th className="end">Contents</th>
            <th className="end">Size</th>
            <th className="end">Changed</th>
          </tr>
        </thead>
        <tbody>
          {shown.map(({ entry, path, info, failure }) => (
            <tr key={path}>
              <td className="thumb">
                <div className="picture">{info ? <Picture info={info} pixels={128} /> : <Placeholder />}</div>
              </td>
              <td>
                <Link href={href("file", path)}>{entry.name}</Link>
              </td>
              <td>{failure ? "Cannot be read" : info ? kindName(info.kind) : ""}</td>
              <td className="end nowrap">{(info && redshiftText(info)?.slice(4)) ?? "–"}</td>
              <td className="end nowrap">{(info && boxText(info)) ?? "–"}</td>
              <td className="end nowrap">{(info && countText(info)) ?? "–"}</td>
              <td className="end nowrap">{format.bytes(entry.size_bytes ?? 0)}</td>
              <td className="end nowrap">{entry.modified_s ? format.date(entry.modified_s) : "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function CardSkeletons() {
  return (
    <div className="cards" aria-label="Loading" role="status">
      {[0, 1, 2, 3].map((i) => (
        <div className="card" key={i}>
          <div className="picture">
            <div className="skeleton" />
          </div>
          <div className="body">
            <div className="skeleton" />
            <div className="skeleton" />
          </div>
        </div>
      ))}
    </div>
  );
}

