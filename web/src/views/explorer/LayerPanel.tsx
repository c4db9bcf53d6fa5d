import { AXES, COLOURS, type Layer } from "../../lib/pictures";
import * as format from "../../lib/format";
import { setParams } from "../../lib/router";
import { fieldUnit, type Info, lengthUnit, particleGroups } from "../../lib/swift";
import { PLANES } from "../../lib/pictures";

/** What the map shows. */
export function LayerPanel({ info, layer }: { info: Info; layer: Layer }) {
  const groups = particleGroups(info).filter((group) => group.fields.some((field) => field.name === "coordinates"));
  const group = groups.find((one) => one.name === layer.type);
  const scalars = group?.fields.filter((field) => field.shape.length === 1 && typeof field.dtype === "string" && field.dtype.includes("f")) ?? [];
  const side = info.header?.box_size?.[PLANES[layer.axis][2]] ?? 1;
  const isFlat = info.header?.dimension === 2;
  return (
    <div className="controls">
      <label className="field-label">
        Matter
        <select className="select" value={layer.type} onChange={(event) => setParams({ type: event.target.value, field: "", weight: "", colours: "" })}>
          {groups.map((one) => (
            <option key={one.name} value={one.name}>
              {format.title(one.name)}
            </option>
          ))}
        </select>
      </label>
      <label className="field-label">
        Quantity
        <select className="select" value={layer.field} onChange={(event) => setParams({ field: event.target.value })}>
          <option value="">Surface density</option>
          {scalars.map((field) => (
            <option key={field.name} value={field.name}>
              {format.title(field.name)}
              {fieldUnit(field) ? ` [${fieldUnit(field)}]` : ""}
            </option>
          ))}
        </select>
      </label>
      {layer.field && (
        <label className="field-label">
          Averaged by
          <select className="select" value={layer.weight} onChange={(event) => setParams({ weight: event.target.value })}>
            <option value="">Mass</option>
            {scalars
              .filter((field) => field.name !== "masses")
              .map((field) => (
                <option key={field.name} value={field.name}>
                  {format.title(field.name)}
                </option>
              ))}
          </select>
        </label>
      )}
      <label className="field-label">
        Colours
        <select className="select" value={layer.colours} onChange={(event) => setParams({ colours: event.target.value })}>
          {COLOURS.map((name) => (
            <option key={name} value={name}>
              {format.title(name)}
            </option>
          ))}
        </select>
      </label>
      {!isFlat && (
        <fieldset className="choices">
          <legend>Along</legend>
          {AXES.map((axis) => (
            <button key={axis} type="button" className="button small" aria-pressed={layer.axis === axis} onClick={() => setParams({ axis: axis === "z" ? "" : axis, depth: "", at: "" })}>
              {axis}
            </button>
          ))}
        </fieldset>
      )}
      {!isFlat && <Depth key={layer.axis} layer={layer} side={side} unit={format.unit(lengthUnit(info))} />}
    </div>
  );
}

function Depth({ layer, side, unit }: { layer: Layer; side: number; unit: string }) {
  const [low, high] = layer.depth ?? [0, side];
  const thickness = high - low;
  const middle = (low + high) / 2;
  const set = (toMiddle: number, toThickness: number) => {
    const isAll = toThickness >= side * 0.999;
    const centre = Math.min(Math.max(toMiddle, toThickness / 2), side - toThickness / 2);
    const bounds = [centre - toThickness / 2, centre + toThickness / 2].map((x) => String(Number(x.toPrecision(5))));
    setParams({ depth: isAll ? "" : bounds.join(",") });
  };
  return (
    <div className="depth">
      <label className="field-label">
        <span className="row between">
          Thickness
          <strong>{layer.depth ? `${format.number(thickness, 3)} ${unit}` : "the whole box"}</strong>
        </span>
        <input type="range" min={side / 50} max={side} step={side / 50} value={thickness} onChange={(event) => set(middle, Number(event.target.value))} />
      </label>
      {layer.depth && (
        <label className="field-label">
          <span className="row between">
            Middle, along {layer.axis}
            <strong>
              {format.number(middle, 3)} {unit}
            </strong>
          </span>
          <input type="range" min={0} max={side} step={side / 100} value={middle} onChange={(event) => set(Number(event.target.value), thickness)} />
        </label>
      )}
    </div>
  );
}
