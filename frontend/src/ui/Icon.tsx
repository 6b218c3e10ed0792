const PATHS = {
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zm5 12 5 5",
  plus: "M12 5v14M5 12h14",
  back: "M15 5l-7 7 7 7",
  close: "M6 6l12 12M18 6L6 18",
  info: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zm0 8v5m0-8.5v.5",
  send: "M4 12l16-8-6 16-3-7z",
  clock: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zm0 4v4l3 2",
  tick: "M5 12l5 5 9-10",
  ticks: "M2 12l5 5 9-10M11 16l1 1 9-10",
  warning: "M12 4l9 16H3zm0 6v4m0 3v.2",
  question: "M9.5 9a2.5 2.5 0 1 1 3.5 2.3c-.7.3-1 .8-1 1.7m0 3.5v.2",
  down: "M6 9l6 6 6-6",
  menu: "M4 7h16M4 12h16M4 17h16",
  chats: "M4 5h16v11H9l-5 4z",
  chart: "M5 20V10m7 10V4m7 16v-7",
  settings: "M4 8h10m4 0h2M4 16h2m4 0h10M14 6v4M8 14v4",
  phone: "M8 3h8v18H8zM11 18h2",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  microphone: "M12 4a2 2 0 0 1 2 2v5a2 2 0 0 1-4 0V6a2 2 0 0 1 2-2zm-5 7a5 5 0 0 0 10 0m-5 5v4",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
  hidden:
    "M4 4l16 16M10 6c8-1.5 11.5 6 11.5 6s-.8 1.5-2.300 3M6 8c-2.300 1.600-3.5 4-3.5 4S6 18.5 12 18.5c1.300 0 2.5-.3 3.5-.7",
  copy: "M9 9h11v11H9zM15 9V4H4v11h5",
} as const;

export type IconName = keyof typeof PATHS;

/** A line drawing beside a text, or in a button that has a name of its own. */
export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="2"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
