import { useState } from "react";
import { url, useJson } from "../lib/api";
import { InlineFailure } from "../parts/Notice";

export interface Attribute {
  value?: unknown;
  error?: string;
}

export interface Described {
  attributes: Record<string, Attribute>;
  members?: Record<string, { kind?: string; link: string }>;
}

export function attributeText(attribute: Attribute): string {
  if (attribute.error) return attribute.error;
  const { value } = attribute;
  const single = Array.isArray(value) && value.length === 1 ? (value[0] as unknown) : value;
  if (typeof single === "string") return single.replace(/^'(.*)'$/s, "$1");
  return JSON.stringify(single)?.replaceAll(",", ", ") ?? "";
}

/** The groups of a file that hold attributes rather than fields: header, parameters, schemes. */
export function AttributeGroups({ path }: { path: string }) {
  const root = useJson<Described>(url("v1/object", path, { object: "/" }));
  if (root.state === "failed") return <InlineFailure failure={root.failure} />;
  if (root.state === "loading") return <div className="skeleton" style={{ height: 120 }} />;
  const names = Object.entries(root.value.members ?? {}).filter(([name, member]) => member.link === "hard" && member.kind === "group" && !/^(PartType\d|Cells|Groups|LOS_\d+)$/.test(name));
  return (
    <div className="panel">
      {Object.keys(root.value.attributes).length > 0 && <AttributeGroup path={path} object="/" name="The file itself" />}
      {names.map(([name]) => (
        <AttributeGroup key={name} path={path} object={`/${name}`} name={name} />
      ))}
    </div>
  );
}

function AttributeGroup({ path, object, name }: { path: string; object: string; name: string }) {
  const [open, setOpen] = useState(false);
  const described = useJson<Described>(open ? url("v1/object", path, { object }) : null);
  const attributes = described.state === "done" ? Object.entries(described.value.attributes) : [];
  return (
    <details className="group" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{name}</summary>
      <div className="inside">
        {described.state === "failed" && <InlineFailure failure={described.failure} />}
        {described.state === "loading" && open && <div className="skeleton" />}
        {described.state === "done" && attributes.length === 0 && <p className="muted">No attributes.</p>}
        <dl className="attribute-list">
          {attributes.map(([key, attribute]) => (
            <div key={key} style={{ display: "contents" }}>
              <dt>{key}</dt>
              <dd>{attributeText(attribute)}</dd>
            </div>
          ))}
        </dl>
      </div>
    </details>
  );
}
