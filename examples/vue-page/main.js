import { computed, createApp } from "vue";
import { useJob } from "./job.js";

const asked = new URLSearchParams(location.search);

createApp({
  setup() {
    const name = asked.get("job") ?? "story~retried-until-failed";
    const job = useJob(asked.get("server") ?? "http://localhost:9186", name);
    const steps = computed(() => job.seen.map((step) => ({ ...step, width: { flexGrow: Math.max(1, step.until - step.since) } })));
    return { name, job, steps };
  },
  template: `
    <h1>{{ name }} <span v-if="job.status" id="state" class="state" :class="job.status.state">{{ job.status.state.toLowerCase() }}</span></h1>
    <p role="alert" class="trouble">{{ job.trouble }}</p>
    <p v-if="job.status" id="facts">attempt {{ job.status.attemptId }} of version {{ job.status.version }}, exit code {{ job.status.appExitCode ?? "none yet" }}</p>
    <ol class="life" aria-label="What this page has seen">
      <li v-for="step in steps" :class="step.state" :style="step.width" :title="step.subState">{{ step.state.toLowerCase() }} #{{ step.attemptId }}</li>
    </ol>`,
}).mount("#app");
