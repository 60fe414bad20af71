import { NotFound } from "../../errors.ts";
import type { Subject } from "../../rbac/subject.ts";

/** To the caller the same as a missing row; handlers that answer "forbidden" instead can tell it apart. */
export class NotAuthorized extends NotFound {
  /** For logs only. */
  readonly reason: string;

  constructor(subject: Subject, action: string, type: string) {
    super();
    this.reason = `${subject.type} ${subject.friendlyName} (${subject.id}) may not ${action} ${type}`;
  }
}
