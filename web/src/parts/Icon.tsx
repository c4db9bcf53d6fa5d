const PATHS = {
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM20 20l-4-4",
  folder: "M3 7a2 2 0 0 1 2-2h4l2 2.500h8a2 2 0 0 1 2 2V17a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2z",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  check: "M5 12.500l4.500 4.500L19 7.500",
  map: "M12 3v3m0 12v3m9-9h-3M6 12H3m9-5a5 5 0 1 0 0 10 5 5 0 0 0 0-10z",
  ask: "M4 5h16M7 12h10M10 19h4",
  points: "M5 17h.01M9 8h.01M12 14h.01M16 6h.01M19 12h.01M15 18h.01M6 12h.01",
  raw: "M5 5h6v6H5zM13 13h6v6h-6zM8 11v5h5",
  download: "M12 4v11m0 0l-4.500-4.500M12 15l4.500-4.500M5 20h14",
  user: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM4 21c.5-4 4-6 8-6s7.500 2 8 6",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2m0 16v2M2 12h2m16 0h2M5 5l1.500 1.500m11 11L19 19M5 19l1.500-1.500m11-11L19 5",
  moon: "M20 14.500A8 8 0 0 1 9.500 4 8 8 0 1 0 20 14.500z",
  right: "M9 5l7 7-7 7",
  grid: "M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z",
  list: "M8 6h12M8 12h12M8 18h12M4 6h.01M4 12h.01M4 18h.01",
  box: "M4 6h16v12H4z",
  circle: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16z",
  close: "M6 6l12 12M18 6L6 18",
  layers: "M12 3l9 5-9 5-9-5zM3 13l9 5 9-5",
  halo: "M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z",
  chart: "M4 20V4M4 20h16M8 16v-5M12 16V8M16 16v-3",
  home: "M4 11l8-7 8 7v9h-5v-6H9v6H4z",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, className = "icon" }: { name: IconName; className?: string }) {
  return (
    <svg className={className} viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.8" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

export function Bird() {
  return (
    <svg viewBox="3 6 27 20" aria-hidden="true">
      <path
        d="M4 9c5 1 8.500 3 11 6.500C18 11 22.500 8 29 7c-5.500 3.500-9 7-10.500 11.500 1 2.500 2.500 4.500 4.500 6.500-3.500-1-6-2.500-7.500-5C14 22 11.500 23.500 9 24c2-2 3.500-4 4-6C11.500 14 8.500 11 4 9z"
        fill="currentColor"
      />
    </svg>
  );
}
