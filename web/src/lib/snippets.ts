// The code that gets exactly what is shown: Python, curl, swiftsimio.

import { absolute, currentLogin, url } from "./api";
import { base } from "./router";
import type { Field, Group, Info } from "./swift";
import { leaf } from "./swift";
import type { Snippet } from "../parts/Code";

const server = () => base.href.replace(/\/$/, "");
const py = (text: string) => JSON.stringify(text);
const shell = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

// Code for somebody who is logged in takes an API token from the environment: what is copied holds no secret.
const TOKEN = 'os.environ["APUS_TOKEN"]';
const IMPORT_OS = "import os\n\n";

function connect(path: string): string {
  const login = currentLogin();
  return `${login ? IMPORT_OS : ""}import apus\n\nserver = apus.connect(${py(server())}${login ? `, token=${TOKEN}` : ""})\nfile = server.open(${py(path)})\n`;
}

function hdfstream(path: string): string {
  const login = currentLogin();
  const credentials = login ? `, user=${py(login.name)}, password=${TOKEN}` : "";
  return `${login ? IMPORT_OS : ""}import hdfstream\nimport swiftsimio\n\nfile = hdfstream.open(${py(`${server()}/hdfstream`)}, ${py(path)}${credentials})\ndata = swiftsimio.load(file)\n`;
}

function curl(options: string, address: string): string {
  return `curl ${options} ${currentLogin() ? '-H "Authorization: Bearer $APUS_TOKEN" ' : ""}${shell(address)}`;
}

function urlretrieve(address: string, file: string): string {
  if (!currentLogin()) return `import urllib.request\n\nurllib.request.urlretrieve(\n    ${py(address)},\n    ${py(file)},\n)\n`;
  return `import os\nimport urllib.request\n\nrequest = urllib.request.Request(\n    ${py(address)},\n    headers={"Authorization": "Bearer " + ${TOKEN}},\n)\nwith urllib.request.urlopen(request) as answer, open(${py(file)}, "wb") as file:\n    file.write(answer.read())\n`;
}

/** All values of a field. */
export function fieldSnippets(info: Info, group: Group, field: Field): Snippet[] {
  const name = `${leaf(info.path).replace(/\.hdf5$/, "")}_${field.name}.npy`;
  const address = absolute(url("v1/data", info.path, { object: field.path, format: "npy" }));
  const snippets = [
    { name: "Python", text: `${connect(info.path)}${variable(field.name)} = file.${group.name}[${py(field.name)}][:]\nprint(${variable(field.name)})` },
    { name: "curl", text: curl(`-o ${name}`, address) },
  ];
  const isSimple = /^[a-z_][a-z0-9_]*$/i.test(field.name);
  if (isSimple) {
    snippets.push({ name: "swiftsimio", text: `${hdfstream(info.path)}${variable(field.name)} = data.${group.name}.${field.name}\nprint(${variable(field.name)})` });
  }
  return snippets;
}

function variable(name: string): string {
  return /^[a-z_][a-z0-9_]*$/i.test(name) ? name : "values";
}

/** A whole file. */
export function fileSnippets(info: Info): Snippet[] {
  return [
    { name: "Python", text: `${connect(info.path)}print(file.kind, file.groups)` },
    { name: "swiftsimio", text: `${hdfstream(info.path)}print(data.metadata)` },
    { name: "curl", text: curl("-C - -O", absolute(url("v1/download", info.path))) },
  ];
}

/** The parameters of /v1/select that the page uses. */
export interface Selection {
  fields: string;
  box?: string;
  sphere?: string;
  where?: string;
  group?: string;
  catalogue?: string;
  aperture?: string;
  unit?: string;
  frame?: string;
  sample?: string;
  limit?: string;
}

export function selectUrl(path: string, selection: Selection, more: Record<string, string> = {}): string {
  return url("v1/select", path, { ...selection, ...more });
}

/** The rows of a selection. */
export function selectSnippets(path: string, selection: Selection): Snippet[] {
  const { fields, box, sphere, ...rest } = selection;
  const names = fields.split(",").map((name) => py(name.trim()));
  const parts = [...names];
  if (box) parts.push(`box=${pyBox(box)}`);
  if (sphere) parts.push(`sphere=(${sphere.split(",").join(", ")})`);
  const pythonName: Record<string, (value: string) => string> = { group: (v) => v, sample: (v) => v, limit: (v) => v };
  for (const [name, value] of Object.entries(rest)) {
    if (!value) continue;
    if (name === "unit" && value.includes(",")) parts.push(`unit=[${value.split(",").map((one) => py(one.trim())).join(", ")}]`);
    else parts.push(`${name}=${pythonName[name]?.(value) ?? py(value)}`);
  }
  const call = parts.join(", ").length > 90 ? `\n    ${parts.join(",\n    ")},\n` : parts.join(", ");
  const file = `${leaf(path).replace(/\.hdf5$/, "")}_selection.hdf5`;
  const canBeSnapshot = !rest.unit && !rest.frame;
  const address = (format: string) => absolute(selectUrl(path, selection, { format }));
  const snippets = [{ name: "Python", text: `${connect(path)}rows = file.select(${call})\nprint(rows)` }];
  if (canBeSnapshot) {
    snippets.push({
      name: "swiftsimio",
      text: `import swiftsimio\n${urlretrieve(address("hdf5"), file)}data = swiftsimio.load(${py(file)})\nprint(data)`,
    });
  }
  snippets.push({ name: "curl", text: curl(`-o ${canBeSnapshot ? file : file.replace(".hdf5", ".npz")}`, address(canBeSnapshot ? "hdf5" : "npz")) });
  return snippets;
}

function pyBox(box: string): string {
  return `[${box.split(",").map((side) => side || "None").join(", ")}]`;
}
