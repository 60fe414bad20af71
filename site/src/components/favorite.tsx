/** Favourites stand first in their owner's list. */
import { contract } from "#codersdk/contract.ts";
import type { Workspace } from "#codersdk/workspaces.ts";
import { useApp, useMe } from "../api/app-context.ts";
import { Icon } from "./icon.tsx";

export function FavoriteButton({ workspace }: { readonly workspace: Workspace }) {
  const { client, cache, toasts } = useApp();
  const me = useMe();
  const { id, favorite } = workspace;
  // A favourite is its owner's matter.
  if (workspace.owner_id !== me.id) return null;
  const toggle = async (): Promise<void> => {
    const { favorite: set, unfavorite } = contract.workspaces;
    try {
      await client.call(favorite ? unfavorite : set, { params: { workspace: id } });
      cache.refresh("workspace");
    } catch (error) {
      toasts.fail(error);
    }
  };
  return (
    <button
      type="button"
      className={favorite ? "icon-button favorite" : "icon-button"}
      aria-pressed={favorite}
      aria-label="Favourite"
      title={favorite ? "A favourite; click to end that" : "Make it a favourite"}
      onClick={() => void toggle()}
    >
      <Icon name="star" filled={favorite} />
    </button>
  );
}
