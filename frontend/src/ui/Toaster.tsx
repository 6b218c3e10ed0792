import { createContext, type ReactNode, useCallback, useContext, useRef, useState } from "react";
import styles from "./Toaster.module.css";

const SHOWN_MS = 5_000;

const ToastContext = createContext<(text: string) => void>(() => {});

/** Shows short sentences about what just happened, and reads them out. */
export function Toaster({ children }: { children: ReactNode }) {
  const [text, setText] = useState("");
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const show = useCallback((next: string) => {
    clearTimeout(timer.current);
    setText(next);
    timer.current = setTimeout(() => setText(""), SHOWN_MS);
  }, []);
  return (
    <ToastContext.Provider value={show}>
      {children}
      <div className={styles.place} role="status" aria-live="polite">
        {text && <p className={styles.toast}>{text}</p>}
      </div>
    </ToastContext.Provider>
  );
}

/** How to show such a sentence. */
export function useToast(): (text: string) => void {
  return useContext(ToastContext);
}
