declare global {
  interface Window {
    /** Set by `/config.js`, which the server of these files makes. */
    CRM_API?: string;
  }
}

const PAGE_PORT = "3000";
const API_PORT = "8000";

/** Where the API is: as the server of this page says, else beside the page, else of one origin. */
export function apiAddress(): string {
  if (typeof window === "undefined") return "";
  if (window.CRM_API !== undefined) return window.CRM_API;
  const { hostname, port, protocol } = window.location;
  return port === PAGE_PORT ? `${protocol}//${hostname}:${API_PORT}` : "";
}

/** The full address of an API path, or of a picture that the API or WhatsApp keeps. */
export function addressOf(path: string): string {
  return path.startsWith("/") ? apiAddress() + path : path;
}
