import { type FormEvent, useEffect, useMemo, useState } from "react";
import { type Asked, ask, download, useAsked, useJson } from "../lib/api";
import * as format from "../lib/format";
import { href, type Place, setParams } from "../lib/router";
import { type Selection, selectSnippets, selectUrl } from "../lib/snippets";
import { type Info, leaf, lengthUnit, useInfo } from "../lib/swift";
import { Snippets } from "../parts/Code";
import { Crumbs } from "../parts/Crumbs";
import { Icon } from "../parts/Icon";
import { Link } from "../parts/Link";
import { FailureNotice, InlineFailure } from "../parts/Notice";
import { type Suggestion, Suggest } from "../parts/Suggest";
import "../styles/ask.css";
import { FORMATS } from "./explorer/formats";
import { type Column, Results, tablesOf } from "./Results";

const NAMES = ["fields", "where", "box", "sphere", "group", "catalogue", "aperture", "unit", "frame", "sample", "limit"] as const;
type Name = (typeof NAMES)[number];
/** Rows that the page shows; all of them can be downloaded. */
const SHOWN_ROWS = 1000;

export default function Ask({ place }: { place: Place }) {
  const info = useInfo(place.path);
  if (info.state === "failed") return <FailureNotice failure={info.failure} path={place.path} what="file" />;
  if (info.state === "loading") return <div className="skeleton" style={{ height: 300 }} role="status" aria-label="Loading" />;
  return <Form info={info.value} place={place} />;
}

function selectionOf(params: URLSearchParams): Selection {
  const selection: Record<string, string> = {};
  for (const name of NAMES) {
    const value = params.get(name)?.trim();
    if (value) selection[name] = value;
  }
  return { fields: "", ...selection };
}

function Form({ info, place }: { info: Info; place: Place }) {
  const asked = useMemo(() => selectionOf(place.params), [place.params]);
  const [draft, setDraft] = useState<Selection>(asked);
  useEffect(() => setDraft(asked), [asked]);
  const set = (name: Name) => (value: string) => setDraft((before) => ({ ...before, [name]: value }));
  const explained = useExplained(info.path, draft);
  const where = explained?.state === "failed" ? explained.failure.detail : null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setParams(Object.fromEntries(NAMES.map((name) => [name, draft[name]?.trim()])), { replace: false });
  };
  const unit = format.unit(lengthUnit(info));
  return (
    <>
      <Crumbs path={info.path} />
      <div className="page-head">
        <div>
          <h1>Ask {leaf(info.path)}</h1>
          <p className="lead">Rows that lie in a region, belong to a halo or satisfy conditions, evaluated on the server.</p>
        </div>
        <Link className="button" href={href("file", info.path)}>
          <Icon name="file" /> The file
        </Link>
      </div>
      <div className="ask">
        <form className="panel padded stack" onSubmit={submit} aria-label="Selection">
          <Suggest label="Fields" name="fields" value={draft.fields} onChange={set("fields")} suggestions={fieldSuggestions(info)} word={/[\w.*/]/} placeholder={exampleFields(info)} />
          <Suggest
            label="Where"
            name="where"
            value={draft.where ?? ""}
            onChange={set("where")}
            suggestions={conditionSuggestions(info, draft.fields)}
            word={/[\w.]/}
            placeholder="temperatures > 1e6 K and velocities.x > 0"
            failed={!!where?.startsWith("condition")}
          />
          <div className="ask-grid">
            <Text label={`Box [${unit}]`} name="box" value={draft.box} set={set("box")} placeholder="xmin,xmax,ymin,ymax,zmin,zmax" />
            <Text label={`Sphere [${unit}]`} name="sphere" value={draft.sphere} set={set("sphere")} placeholder="x,y,z,radius" />
            <Text label="Halo id" name="group" value={draft.group} set={set("group")} placeholder="1" />
            <Text label="Catalogue of the halo" name="catalogue" value={draft.catalogue} set={set("catalogue")} placeholder="path/to/fof.hdf5" />
            <Text label="Units" name="unit" value={draft.unit} set={set("unit")} placeholder="kpc,Msun" />
            <label className="field-label">
              Frame
              <select className="select" name="frame" value={draft.frame ?? ""} onChange={(event) => set("frame")(event.target.value)}>
                <option value="">As stored</option>
                <option value="comoving">Comoving</option>
                <option value="physical">Physical</option>
              </select>
            </label>
            <Text label="Sample, a fraction" name="sample" value={draft.sample} set={set("sample")} placeholder="0.01" />
            <Text label="At most this many rows" name="limit" value={draft.limit} set={set("limit")} placeholder="all" />
          </div>
          <Cost explained={explained} />
          <div className="row">
            <button className="button primary" disabled={!draft.fields.trim()}>
              Show the rows
            </button>
          </div>
        </form>
        {asked.fields ? <Answer info={info} selection={asked} /> : <Examples info={info} />}
      </div>
    </>
  );
}

function Text(props: { label: string; name: string; value: string | undefined; set: (value: string) => void; placeholder: string }) {
  return (
    <label className="field-label">
      {props.label}
      <input
        className="input mono"
        name={props.name}
        value={props.value ?? ""}
        placeholder={props.placeholder}
        spellCheck={false}
        autoCapitalize="none"
        autoComplete="off"
        onChange={(event) => props.set(event.target.value)}
      />
    </label>
  );
}

interface Explained {
  groups: { name: string; n_rows: number; n_candidates: number; n_rows_at_most: number; is_exact: boolean }[];
  size_bytes_at_most: number;
  limit_bytes: number;
  is_allowed: boolean;
}

/** The cost of what is being typed, once the typing pauses. */
function useExplained(path: string, draft: Selection): Asked<Explained> | null {
  const address = draft.fields.trim() ? selectUrl(path, trimmed(draft), { explain: "true" }) : null;
  const [settled, setSettled] = useState(address);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(address), 350);
    return () => clearTimeout(timer);
  }, [address]);
  const explained = useJson<Explained>(settled);
  return settled ? explained : null;
}

function trimmed(selection: Selection): Selection {
  return Object.fromEntries(Object.entries(selection).map(([name, value]) => [name, value?.trim()])) as unknown as Selection;
}

function Cost({ explained }: { explained: Asked<Explained> | null }) {
  if (!explained) return <p className="muted small">The cost is shown here as you type; no value is read for it.</p>;
  if (explained.state === "loading") return <p className="muted small">Looking at the cost…</p>;
  if (explained.state === "failed") return <InlineFailure failure={explained.failure} />;
  const { groups, size_bytes_at_most, is_allowed, limit_bytes } = explained.value;
  const isExact = groups.every((group) => group.is_exact);
  const rows = groups.reduce((sum, group) => sum + group.n_rows_at_most, 0);
  const candidates = groups.reduce((sum, group) => sum + group.n_candidates, 0);
  const all = groups.reduce((sum, group) => sum + group.n_rows, 0);
  return (
    <p className="small" role="status">
      <strong>
        {isExact ? "" : "At most "}
        {format.plural(rows, "row")}, {format.bytes(size_bytes_at_most)}.
      </strong>{" "}
      <span className="muted">
        {isExact ? "" : `${format.count(candidates)} of ${format.count(all)} are examined. `}
        {is_allowed ? "" : `That is over the server's limit of ${format.bytes(limit_bytes)}: choose fewer fields, or a smaller region.`}
      </span>
    </p>
  );
}

function Answer({ info, selection }: { info: Info; selection: Selection }) {
  const limit = Math.min(Number(selection.limit ?? SHOWN_ROWS) || SHOWN_ROWS, SHOWN_ROWS);
  const shown = selectUrl(info.path, { ...selection, limit: String(limit) }, { format: "json" });
  const answer = useAsked(shown, async (address) => {
    const response = await ask(address);
    const fields = JSON.parse(response.headers.get("Apus-Fields") ?? "[]") as Column["field"][];
    return tablesOf(parseExact(await response.text()), fields);
  });
  return (
    <div className="stack" style={{ gap: 22 }}>
      {answer.state === "loading" && <div className="skeleton" style={{ height: 320 }} role="status" aria-label="Reading" />}
      {answer.state === "failed" && <FailureNotice failure={answer.failure} path={info.path} what="selection in" />}
      {answer.state === "done" && (
        <>
          {answer.value.map((table) => (
            <Results key={table.name} table={table} limit={limit} />
          ))}
          <section className="panel padded stack">
            <h2>Take all of it</h2>
            <div className="row" role="group" aria-label="Download">
              {FORMATS.map(([name, ending, purpose]) => (
                <button
                  key={name}
                  type="button"
                  className="button small"
                  title={purpose}
                  onClick={() => void download(selectUrl(info.path, selection, { format: name }), `${leaf(info.path).replace(/\.hdf5$/, "")}_selection.${ending}`)}
                >
                  <Icon name="download" /> {name}
                </button>
              ))}
            </div>
            <Snippets label="The code that gets this" snippets={selectSnippets(info.path, selection)} />
          </section>
        </>
      )}
    </div>
  );
}

/** JSON whose integers beyond 2^53 stay as they are written: ids of particles are that large. */
function parseExact(text: string): Record<string, unknown> {
  return JSON.parse(text.replace(/([[,:])(-?\d{16,})(?=[,\]}])/g, '$1"$2"')) as Record<string, unknown>;
}

function fieldSuggestions(info: Info): Suggestion[] {
  return info.groups
    .filter((group) => group.n_rows > 0)
    .flatMap((group) => [
      { text: `${group.name}.*`, note: "all fields" },
      ...group.fields.map((field) => ({ text: `${group.name}.${field.name}`, note: field.unit ? format.unit(field.unit.name) : "" })),
    ]);
}

const WORDS = ["and", "or", "not", "in", "abs(", "sqrt(", "log10("];
const UNITS = ["K", "kpc", "Mpc", "Msun", "km/s", "g/cm**3", "Gyr", "erg", "comoving", "physical"];

function conditionSuggestions(info: Info, fields: string): Suggestion[] {
  const types = new Set(fields.split(",").map((name) => name.trim().split(".")[0]));
  const groups = info.groups.filter((group) => types.has(group.name));
  const names = groups.flatMap((group) =>
    group.fields.flatMap((field) => {
      const note = field.unit ? format.unit(field.unit.name) : "";
      return [field.name, ...(field.named_columns?.names ?? []).map((column) => `${field.name}.${column}`)].map((text) => ({ text, note }));
    }),
  );
  const seen = new Set<string>();
  return [...names, ...WORDS.map((text) => ({ text, note: "" })), ...UNITS.map((text) => ({ text, note: "unit" }))].filter(({ text }) => !seen.has(text) && seen.add(text));
}

function exampleFields(info: Info): string {
  const group = info.groups.find((one) => one.n_rows > 0);
  return group ? group.fields.slice(0, 2).map((field) => `${group.name}.${field.name}`).join(",") : "";
}

/** Something to begin with, made of what the file has. */
function Examples({ info }: { info: Info }) {
  const group = info.groups.find((one) => one.n_rows > 0);
  if (!group) return null;
  const names = new Set(group.fields.map((field) => field.name));
  const examples: [string, Record<string, string>][] = [["The first hundred rows of everything", { fields: `${group.name}.*`, limit: "100" }]];
  if (names.has("temperatures") && names.has("densities"))
    examples.push(["Hot gas, with its density", { fields: `${group.name}.densities,${group.name}.temperatures`, where: "temperatures > 1e6 K", limit: "1000" }]);
  if (names.has("coordinates")) examples.push(["Positions of a thousandth of the particles", { fields: `${group.name}.coordinates`, sample: "0.001" }]);
  return (
    <section className="panel padded stack">
      <h2>For example</h2>
      <ul className="stack" style={{ gap: 8 }}>
        {examples.map(([text, params]) => (
          <li key={text}>
            <Link href={href("ask", info.path, params)}>{text}</Link>
          </li>
        ))}
      </ul>
    </section>
  );
}
