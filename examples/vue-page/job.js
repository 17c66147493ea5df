// A job that is polled, as a composable: `useJob(server, name)` gives what a component draws.

import { onUnmounted, reactive } from "vue";

const EVERY = 1000; // milliseconds between two looks

export function useJob(server, name) {
  const job = reactive({ status: null, seen: [], trouble: "" });
  const path = `${server}/api/v2/jobs/${encodeURIComponent(name)}`;
  let etag = null;
  let timer = 0;

  async function look() {
    const answer = await fetch(path, { headers: etag ? { "If-None-Match": etag } : {} });
    const at = Date.parse(answer.headers.get("Date")); // the simulated clock's, where the server is simulated
    if (answer.status !== 304) {
      const body = await answer.json();
      if (!answer.ok) throw new Error(body.message);
      etag = answer.headers.get("ETag");
      job.status = body.jobStatus;
    }
    saw(at);
  }

  // What was shown, one after the other, each with how long it was: the life as this page has seen it.
  function saw(at) {
    const { state, subState, attemptId } = job.status;
    const last = job.seen.at(-1);
    if (last) last.until = at;
    if (!last || last.state !== state || last.subState !== subState || last.attemptId !== attemptId) {
      job.seen.push({ state, subState, attemptId, since: at, until: at });
    }
  }

  async function again() {
    try {
      await look();
      job.trouble = "";
    } catch (error) {
      job.trouble = error instanceof TypeError ? `No answer from ${server}.` : error.message;
    }
    timer = setTimeout(again, job.trouble ? 3 * EVERY : EVERY);
  }

  again();
  onUnmounted(() => clearTimeout(timer));
  return job;
}
