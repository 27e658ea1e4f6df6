// The state of a file in words. It does not need a DOM.

/**
 * describeState returns {label, tone, reason} of a file. tone is "waiting" for what a person has to do, "busy", "good",
 * "bad" for a failure, or "plain". A person's own stop is not a failure.
 */
export function describeState(file) {
  if (file.owner !== "you") return { label: "Shared by your colleagues", tone: "good" };
  if (file.is_shared) return { label: "Confirmed and shared", tone: "good" };
  if (file.step === "done") return { label: "Confirmed", tone: "good" };
  if (file.can_confirm) return { label: "Waiting for you", tone: "waiting" };
  if (file.state === "stopped") return { label: "Stopped by you", tone: "plain" };
  if (file.failure && !file.can_take_in) return { label: "Cannot be read", tone: "bad", reason: file.failure };
  if (file.failure) return { label: "Failed", tone: "bad", reason: file.failure };
  if (file.can_take_in) return { label: "Not read yet", tone: "plain" };
  return states[file.state] ?? { label: "Being read…", tone: "busy" };
}

const states = { "not uploaded yet": { label: "Not uploaded yet", tone: "plain" } };

/** nextSteps returns what a person can do next with a file: [{action, label, isMain?}]. */
export function nextSteps(file) {
  if (file.can_confirm) return [{ action: "open", label: "Look and confirm", isMain: true }];
  const list = [];
  if (file.can_take_in) {
    const hasFailed = file.failure && file.state !== "stopped";
    list.push({ action: "takeIn", label: hasFailed ? "Try again" : "Take it in" });
  }
  if (file.failure && file.can_delete) list.push({ action: "remove", label: "Remove" });
  return list;
}

const steps = { user_upload: 0, profiled: 1, confirmed: 2, done: 3 };

/** progress returns the steps of a file: [{label, isDone}]. */
export function progress(file) {
  const done = steps[file.step] ?? 0;
  return ["Uploaded", "Read", "Confirmed"].map((label, i) => ({ label, isDone: i < done }));
}
