// Numbers, sizes and units as people read them.

const SUPERSCRIPTS: Record<string, string> = { "-": "⁻", "0": "⁰", "1": "¹", "2": "²", "3": "³", "4": "⁴", "5": "⁵", "6": "⁶", "7": "⁷", "8": "⁸", "9": "⁹", ".": "·" };

export function superscript(n: number | string): string {
  return [...String(n)].map((digit) => SUPERSCRIPTS[digit] ?? digit).join("");
}

/** 216,000; 12.4 million. */
export function count(n: number): string {
  if (n < 1e6) return n.toLocaleString("en");
  for (const [scale, word] of [[1e12, "trillion"], [1e9, "billion"], [1e6, "million"]] as const) {
    if (n >= scale) return `${trimmed(n / scale, 3)} ${word}`;
  }
  return String(n);
}

export function bytes(n: number): string {
  if (n < 1000) return `${n} B`;
  const units = ["kB", "MB", "GB", "TB", "PB"];
  let value = n / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${trimmed(value, value < 10 ? 2 : 3)} ${units[unit]}`;
}

function trimmed(x: number, digits: number): string {
  return String(Number(x.toPrecision(digits)));
}

/** A measured number: 0.0123, 4.56 × 10¹⁴. */
export function number(x: number, digits = 4): string {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "not a number" : x > 0 ? "∞" : "−∞";
  if (x === 0) return "0";
  const size = Math.abs(x);
  if (size >= 1e-3 && size < 1e5) {
    const rounded = Number(x.toPrecision(Math.max(digits, Math.ceil(Math.log10(size)))));
    return rounded.toLocaleString("en", { maximumFractionDigits: 10 }).replace("-", "−");
  }
  const [mantissa = "", exponent = "0"] = x.toExponential(digits - 1).split("e");
  const short = String(Number(mantissa)).replace("-", "−");
  const power = `10${superscript(Number(exponent))}`;
  return short === "1" ? power : `${short} × ${power}`;
}

export function redshift(z: number): string {
  return Math.abs(z) < 5e-5 ? "0" : z < 0.01 ? number(z, 2) : z.toFixed(z < 10 ? 3 : 2).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
}

/** `1e10*Msun/Mpc**3` as 10¹⁰ M☉ Mpc⁻³. */
export function unit(name: string): string {
  if (name === "1" || name === "") return "";
  const parts = name.replaceAll("**", "^").split(/([*/])/);
  let sign = 1;
  const out: string[] = [];
  for (const part of parts) {
    if (part === "*") sign = 1;
    else if (part === "/") sign = -1;
    else {
      const [stem = "", power = "1"] = part.replace(/[()]/g, "").split("^");
      const exponent = Number(power) * sign;
      if (Number(stem) === 1) continue;
      if (Number.isFinite(Number(stem))) out.push(number(Number(stem) ** exponent));
      else out.push(named(stem) + (exponent === 1 ? "" : superscript(String(exponent))));
    }
  }
  return out.join(" ");
}

function named(stem: string): string {
  return { Msun: "M☉", Msol: "M☉", Lsun: "L☉" }[stem] ?? stem;
}

/** The factor in front of a unit, and the unit without it: masses in 1e10 solar masses are said in solar masses. */
export function factored(name: string): [number, string] {
  const found = /^([0-9.]+(?:e[+-]?\d+)?)\*(.+)$/.exec(name);
  return found ? [Number(found[1]), found[2] ?? ""] : [1, name];
}

export function quantity(value: number, unitName: string, digits = 4): string {
  const [factor, rest] = factored(unitName);
  return `${number(value * factor, digits)} ${unit(rest)}`.trim();
}

export function date(seconds: number): string {
  return new Date(seconds * 1000).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
}

/** Lets a long name break after its separators, by zero-width spaces. */
export function breakable(name: string): string {
  return name.replace(/[_.-]+(?=[^_.-])/g, "$&\u200b");
}

/** dark_matter as "Dark matter". */
export function title(name: string): string {
  const text = name.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}
