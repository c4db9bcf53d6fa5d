// Plots as SVG, which follow the theme and stay sharp: a histogram, a curve, points, or a map of counts.

import { type ReactNode, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "react";
import * as format from "../lib/format";

export interface Axis {
  label: string;
  range: [number, number];
  log?: boolean;
}

const MARGIN = { right: 14, top: 12, bottom: 44 };
/** About what a character of a tick's text takes. */
const CHARACTER = 6.3;

/** The width that is there, so that text in a plot is as large as elsewhere. */
function useWidth(): [React.RefObject<HTMLDivElement>, number] {
  const ref = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(520);
  useLayoutEffect(() => {
    if (!ref.current) return;
    const observer = new ResizeObserver(([entry]) => entry && setWidth(Math.min(760, Math.max(260, Math.round(entry.contentRect.width)))));
    observer.observe(ref.current);
    return () => observer.disconnect();
  }, []);
  return [ref, width];
}

interface Frame {
  x: (value: number) => number;
  y: (value: number) => number;
  width: number;
  height: number;
  left: number;
  yTicks: number[];
  xTicks: number[];
}

function scale(axis: Axis, from: number, to: number): (value: number) => number {
  const map = axis.log ? Math.log10 : (x: number) => x;
  const [a, b] = [map(axis.range[0]), map(axis.range[1])];
  return (value) => from + ((map(value) - a) / (b - a || 1)) * (to - from);
}

/** Round numbers along an axis. */
export function ticks(axis: Axis, n: number): number[] {
  const [a, b] = axis.range;
  if (!(b > a)) return [a];
  if (axis.log && a > 0) {
    const [first, last] = [Math.ceil(Math.log10(a) - 1e-9), Math.floor(Math.log10(b) + 1e-9)];
    if (last - first >= 1) {
      const step = Math.max(1, Math.ceil((last - first) / n));
      return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, i) => 10 ** (first + i * step));
    }
  }
  const raw = (b - a) / n;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((m) => m * power >= raw) ?? 10);
  const out = [];
  for (let i = Math.ceil(a / step - 1e-9); i * step <= b + step * 1e-9; i++) out.push(Number((i * step).toPrecision(12)));
  return out;
}

function Axes({ x, y, frame }: { x: Axis; y: Axis; frame: Frame }) {
  const bottom = frame.height - MARGIN.bottom;
  const right = frame.width - MARGIN.right;
  return (
    <g>
      {frame.yTicks.map((value) => (
        <g key={value}>
          <line className="gridline" x1={frame.left} x2={right} y1={frame.y(value)} y2={frame.y(value)} />
          <text x={frame.left - 8} y={frame.y(value) + 4} textAnchor="end">
            {tickText(value)}
          </text>
        </g>
      ))}
      <line className="axis" x1={frame.left} x2={right} y1={bottom} y2={bottom} />
      {frame.xTicks.map((value) => (
        <g key={value}>
          <line className="axis" x1={frame.x(value)} x2={frame.x(value)} y1={bottom} y2={bottom + 4} />
          <text x={frame.x(value)} y={bottom + 17} textAnchor="middle">
            {tickText(value)}
          </text>
        </g>
      ))}
      <text className="label" x={(frame.left + right) / 2} y={frame.height - 6} textAnchor="middle">
        {x.label}
      </text>
      <text className="label" transform={`translate(13 ${(MARGIN.top + bottom) / 2}) rotate(-90)`} textAnchor="middle">
        {y.label}
      </text>
    </g>
  );
}

function tickText(value: number): string {
  return Math.abs(value) >= 1e4 || (value !== 0 && Math.abs(value) < 1e-2) ? format.number(value, 2) : format.number(value, 3);
}

function frameOf(x: Axis, y: Axis, width: number, height: number): Frame {
  const yTicks = ticks(y, 4);
  const left = 34 + CHARACTER * Math.max(...yTicks.map((value) => tickText(value).length));
  return { x: scale(x, left, width - MARGIN.right), y: scale(y, height - MARGIN.bottom, MARGIN.top), width, height, left, yTicks, xTicks: ticks(x, Math.max(2, Math.floor(width / 100))) };
}

function Drawn({ frame, describe, children }: { frame: Frame; describe: string; children: ReactNode }) {
  return (
    <svg className="plot" viewBox={`0 0 ${frame.width} ${frame.height}`} role="img" aria-label={describe}>
      {children}
    </svg>
  );
}

export function Histogram(props: { edges: number[]; counts: number[]; x: string; y?: string; log?: boolean; describe: string }) {
  const { edges, counts } = props;
  const [ref, width] = useWidth();
  const x: Axis = { label: props.x, range: [edges[0] ?? 0, edges.at(-1) ?? 1], log: props.log };
  const y: Axis = { label: props.y ?? "Particles", range: [0, Math.max(...counts, 1e-300) * 1.05] };
  const frame = frameOf(x, y, width, 250);
  return (
    <div ref={ref}><Drawn frame={frame} describe={props.describe}>
      <Axes x={x} y={y} frame={frame} />
      {counts.map((n, i) => {
        const left = frame.x(edges[i] ?? 0);
        return n > 0 && <rect key={i} className="bar" x={left} y={frame.y(n)} width={Math.max(0.5, frame.x(edges[i + 1] ?? 0) - left - 0.6)} height={frame.y(0) - frame.y(n)} />;
      })}
    </Drawn></div>
  );
}

export function Curve(props: { points: [number, number][]; x: Omit<Axis, "range">; y: Omit<Axis, "range">; describe: string; dots?: boolean }) {
  const [ref, width] = useWidth();
  const shown = props.points.filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y) && (!props.x.log || x > 0) && (!props.y.log || y > 0));
  if (shown.length < 2) return <p className="muted small">Too few rows for a plot.</p>;
  const x: Axis = { ...props.x, range: extent(shown.map(([x]) => x)) };
  const y: Axis = { ...props.y, range: extent(shown.map(([, y]) => y)) };
  const frame = frameOf(x, y, width, 280);
  return (
    <div ref={ref}><Drawn frame={frame} describe={props.describe}>
      <Axes x={x} y={y} frame={frame} />
      {props.dots ? (
        shown.map(([a, b], i) => <circle key={i} className="dot" cx={frame.x(a)} cy={frame.y(b)} r="1.8" />)
      ) : (
        <path className="curve" d={shown.map(([a, b], i) => `${i ? "L" : "M"}${frame.x(a).toFixed(1)} ${frame.y(b).toFixed(1)}`).join("")} />
      )}
    </Drawn></div>
  );
}

export function extent(values: number[]): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low < high ? [low, high] : [low - 0.5, high + 0.5];
}

/** Counts in two dimensions, as a picture with axes. `counts[i][j]`: i along x, j along y, as numpy's. */
export function Heat(props: { counts: number[][]; x: Axis; y: Axis; describe: string }) {
  const clip = useId();
  const [ref, width] = useWidth();
  const [address, setAddress] = useState<string | null>(null);
  const frame = frameOf(props.x, props.y, width, 340);
  const drawn = useMemo(() => drawn2d(props.counts), [props.counts]);
  useEffect(() => {
    let made: string | null = null;
    let wanted = true;
    drawn.toBlob((blob) => {
      if (!blob || !wanted) return;
      made = URL.createObjectURL(blob);
      setAddress(made);
    });
    return () => {
      wanted = false;
      if (made) URL.revokeObjectURL(made);
    };
  }, [drawn]);
  const bottom = frame.height - MARGIN.bottom;
  return (
    <div ref={ref}><Drawn frame={frame} describe={props.describe}>
      <Axes x={props.x} y={props.y} frame={frame} />
      <clipPath id={clip}>
        <rect x={frame.left} y={MARGIN.top} width={frame.width - frame.left - MARGIN.right} height={bottom - MARGIN.top} />
      </clipPath>
      {address && (
        <image
          href={address}
          x={frame.left}
          y={MARGIN.top}
          width={frame.width - frame.left - MARGIN.right}
          height={bottom - MARGIN.top}
          preserveAspectRatio="none"
          clipPath={`url(#${clip})`}
        />
      )}
    </Drawn></div>
  );
}

// From dark violet to yellow, as matplotlib's inferno at these places.
const STOPS = [[40, 11, 84], [101, 21, 110], [159, 42, 99], [212, 72, 66], [245, 125, 21], [250, 193, 39], [252, 255, 164]] as const;

function drawn2d(counts: number[][]): HTMLCanvasElement {
  const [width, height] = [counts.length, counts[0]?.length ?? 0];
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, width);
  canvas.height = Math.max(1, height);
  const context = canvas.getContext("2d");
  if (!context || !width || !height) return canvas;
  const image = context.createImageData(width, height);
  let most = 0;
  for (const column of counts) for (const n of column) if (n > most) most = n;
  let least = most;
  for (const column of counts) for (const n of column) if (n > 0 && n < least) least = n;
  const depth = Math.log(most / least) || 1;
  for (let i = 0; i < width; i++)
    for (let j = 0; j < height; j++) {
      const n = counts[i]?.[j] ?? 0;
      if (!(n > 0)) continue;
      const [r, g, b] = colour(0.1 + (0.9 * Math.log(n / least)) / depth);
      image.data.set([r, g, b, 255], 4 * ((height - 1 - j) * width + i));
    }
  context.putImageData(image, 0, 0);
  return canvas;
}

export function colour(t: number): [number, number, number] {
  const at = Math.min(Math.max(t, 0), 1) * (STOPS.length - 1);
  const i = Math.min(Math.floor(at), STOPS.length - 2);
  const [a, b] = [STOPS[i]!, STOPS[i + 1]!];
  const mix = (k: 0 | 1 | 2) => Math.round(a[k] + (b[k] - a[k]) * (at - i));
  return [mix(0), mix(1), mix(2)];
}
