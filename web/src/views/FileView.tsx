import { useId, useState } from "react";
import { download, url, useJson } from "../lib/api";
import * as format from "../lib/format";
import { base, encodedPath, href, type Place, setParams } from "../lib/router";
import { fileSnippets } from "../lib/snippets";
import { boxText, countText, type Info, isCatalogue, isCosmological, kindName, leaf, particleGroups, pictureType, redshiftText, useInfo } from "../lib/swift";
import { Snippets, TabList } from "../parts/Code";
import { Crumbs } from "../parts/Crumbs";
import { Facts } from "../parts/Facts";
import { Icon } from "../parts/Icon";
import { Link } from "../parts/Link";
import { FailureNotice } from "../parts/Notice";
import { Picture } from "../parts/Picture";
import { AttributeGroups, attributeText, type Described } from "./Attributes";
import { FieldTable } from "./FieldTable";

export function FileView({ place }: { place: Place }) {
  const info = useInfo(place.path);
  if (info.state === "failed")
    return (
      <>
        <Crumbs path={place.path} />
        <div className="stack">
          <FailureNotice failure={info.failure} path={place.path} what="file" />
          {info.failure.status === 422 && (
            <div className="row">
              <button type="button" className="button" onClick={() => void download(url("v1/download", place.path), leaf(place.path))}>
                <Icon name="download" /> Download it as it is
              </button>
            </div>
          )}
        </div>
      </>
    );
  if (info.state === "loading")
    return (
      <>
        <Crumbs path={place.path} />
        <div className="skeleton" style={{ height: 420 }} role="status" aria-label="Loading" />
      </>
    );
  return <Shown info={info.value} place={place} />;
}

function Shown({ info, place }: { info: Info; place: Place }) {
  const groups = info.groups.filter((group) => group.fields.length > 0);
  const code = useJson<Described>(info.kind === "not_swift" ? null : url("v1/object", info.path, { object: "/Code" }));
  return (
    <>
      <Crumbs path={info.path} />
      <div className="page-head">
        <div className="stack" style={{ gap: 8 }}>
          <h1>{leaf(info.path)}</h1>
          <div className="row">
            <span className={`badge ${String(info.kind)}`}>{kindName(info.kind)}</span>
            <span className="muted">{info.header?.run_name}</span>
          </div>
        </div>
      </div>
      <div className="file-top">
        <div className="picture">
          <Picture info={info} pixels={768} />
          {pictureType(info) && <Link href={href("explore", info.path)} aria-label="Explore this snapshot on the map" />}
          <span className="caption">{isCatalogue(info) ? "Positions and radii of the groups" : pictureType(info) ? `${format.title(pictureType(info)?.name ?? "")}, projected along z` : "No particles to show"}</span>
        </div>
        <div className="panel overview">
          <Facts
            facts={[
              ["Redshift", redshiftText(info)?.slice(4)],
              ["Box", boxText(info)],
              ["Holds", countText(info)],
              ["Size of the file", format.bytes(info.size_bytes)],
              ["Written", info.modified_s ? format.date(info.modified_s) : null],
              ["Stored as", distribution(info)],
              ...particleGroups(info).map((group): [string, string] => [format.title(group.name), format.count(group.n_rows)]),
            ]}
          />
          <Actions info={info} />
          <Snippets label="Open this file" snippets={fileSnippets(info)} />
        </div>
      </div>

      <div className="columns">
        {isCosmological(info) && <Cosmology info={info} />}
        {code.state === "done" && <Provenance info={info} code={code.value} />}
      </div>

      {groups.length > 0 && <Fields info={info} place={place} groups={groups} />}
      <section className="section">
        <h2>Everything else in the file</h2>
        <AttributeGroups path={info.path} />
      </section>
    </>
  );
}

function distribution(info: Info): string {
  const { form } = info.distribution;
  const n = info.header?.n_files_per_snapshot ?? 1;
  return { single: "One file", virtual: `Virtual file over ${n} parts`, part: `Part of ${n}` }[form] ?? format.title(form);
}

function Actions({ info }: { info: Info }) {
  const has = pictureType(info);
  return (
    <div className="row" role="group" aria-label="What to do with this file">
      {has && (
        <Link className="button primary" href={href("explore", info.path)}>
          <Icon name="map" /> Explore
        </Link>
      )}
      <Link className={has ? "button" : "button primary"} href={href("ask", info.path)}>
        <Icon name="ask" /> Ask
      </Link>
      {has && (
        <Link className="button" href={href("points", info.path)}>
          <Icon name="points" /> 3D
        </Link>
      )}
      <a className="button" href={`${base.pathname}raw/${encodedPath(info.path)}`}>
        <Icon name="raw" /> Raw file
      </a>
      <button type="button" className="button" onClick={() => void download(url("v1/download", info.path), leaf(info.path))}>
        <Icon name="download" /> Download
      </button>
    </div>
  );
}

function Cosmology({ info }: { info: Info }) {
  const value = (name: string) => {
    const x = info.cosmology?.[name];
    return typeof x === "number" ? format.number(x, 5) : null;
  };
  const nonzero = (name: string) => (value(name) === "0" ? null : value(name));
  return (
    <section className="panel padded">
      <h2>Cosmology</h2>
      <Facts
        facts={[
          [<>H<sub>0</sub></>, value("H0_km_s_Mpc") && `${value("H0_km_s_Mpc")} km s⁻¹ Mpc⁻¹`],
          [<>Ω<sub>m</sub></>, value("Omega_m")],
          [<>Ω<sub>Λ</sub></>, value("Omega_lambda")],
          [<>Ω<sub>b</sub></>, value("Omega_b")],
          [<>Ω<sub>cdm</sub></>, nonzero("Omega_cdm")],
          [<>Ω<sub>ν</sub></>, nonzero("Omega_nu_0")],
          [<>w<sub>0</sub></>, value("w_0")],
          [<>w<sub>a</sub></>, value("w_a")],
          ["Scale factor", value("scale_factor")],
        ]}
      />
    </section>
  );
}

function Provenance({ info, code }: { info: Info; code: Described }) {
  const of = (name: string) => {
    const attribute = code.attributes[name];
    const text = attribute ? attributeText(attribute) : "";
    return text === "unknown" ? null : text;
  };
  return (
    <section className="panel padded">
      <h2>Provenance</h2>
      <Facts
        facts={[
          ["Code", [of("Code"), of("Code Version")].filter(Boolean).join(" ")],
          ["Git revision", of("Git Revision")],
          ["Compiler", [of("Compiler Name"), of("Compiler Version")].filter(Boolean).join(" ")],
          ["HDF5 library", of("HDF5 library version")],
          ["Written on", [info.header?.system, info.header?.snapshot_date].filter(Boolean).join(", ")],
          ["Output type", [info.header?.output_type, info.header?.select_output].filter(Boolean).join(", ")],
        ]}
      />
    </section>
  );
}

function Fields({ info, place, groups }: { info: Info; place: Place; groups: Info["groups"] }) {
  const id = useId();
  const named = place.params.get("type");
  const index = Math.max(0, groups.findIndex((group) => group.name === named));
  const group = groups[index];
  const [search, setSearch] = useState("");
  if (!group) return null;
  return (
    <section className="section">
      <div className="fields-head">
        <h2>Fields</h2>
        <label className="search" style={{ width: 260 }}>
          <span className="visually-hidden">Search fields</span>
          <Icon name="search" />
          <input className="input" type="search" placeholder="Search fields" value={search} onChange={(event) => setSearch(event.target.value)} />
        </label>
      </div>
      <TabList
        label="Types"
        id={id}
        chosen={index}
        choose={(chosen) => setParams({ type: groups[chosen]?.name, field: "" })}
        tabs={groups.map((one) => ({ key: one.group, label: format.title(one.name), n: format.count(one.n_rows) }))}
      />
      <div id={`${id}-panel`} role="tabpanel" aria-label={group.name} className="panel" style={{ marginTop: 12 }}>
        <FieldTable info={info} group={group} search={search} open={place.params.get("field")} />
      </div>
    </section>
  );
}
