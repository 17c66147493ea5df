// A small client, checked against the types of the API: what the document does not promise does not compile.

import type { operations } from "./api";

type Body<Operation extends keyof operations> = operations[Operation]["responses"][200]["content"]["application/json"];
export type Job = Body<"getJob">;
export type Attempt = Body<"getAttempt">;
export type Failure = operations["getJob"]["responses"][404 | 500]["content"]["application/json"];
export type State = Job["jobStatus"]["state"];

export class ApiError extends Error {
  constructor(readonly status: number, readonly failure: Failure) {
    super(failure.message);
  }
}

export class Jobs {
  constructor(private readonly server: string) {}

  job(name: string): Promise<Job> {
    return this.get<Job>(`/jobs/${encodeURIComponent(name)}`);
  }

  attempt(name: string, id: number, version?: number): Promise<Attempt> {
    const query = version === undefined ? "" : `?version=${version}`;
    return this.get<Attempt>(`/frameworks/${encodeURIComponent(name)}/attempts/${id}${query}`);
  }

  async attempts(name: string): Promise<readonly number[]> {
    return (await this.get<Body<"getAttempts">>(`/frameworks/${encodeURIComponent(name)}/attempts`)).FrameworkAttempts;
  }

  private async get<T>(path: string): Promise<T> {
    const answer = await fetch(`${this.server}/api/v2${path}`);
    if (!answer.ok) throw new ApiError(answer.status, (await answer.json()) as Failure);
    return (await answer.json()) as T;
  }
}

// The compiler knows every state there is: a new one would stop it here.
export function isOver(state: State): boolean {
  switch (state) {
    case "SUCCEEDED":
    case "STOPPED":
    case "FAILED":
      return true;
    case "WAITING":
    case "RUNNING":
    case "UNKNOWN":
      return false;
  }
}

// 0 means "has not happened".
export function ranFor({ jobStatus }: Job): number | null {
  const { appLaunchedTime, completedTime } = jobStatus;
  return appLaunchedTime === 0 || completedTime === 0 ? null : completedTime - appLaunchedTime;
}

export function whyItEnded({ jobStatus }: Job): string {
  if (jobStatus.appExitCode === null) return "it has not";
  return jobStatus.appExitMessages.container ?? jobStatus.appExitDiagnostics ?? `exit code ${jobStatus.appExitCode}`;
}
