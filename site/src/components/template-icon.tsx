/** A template's picture, or its initial where it has none that the browser may load. */
import { useState } from "react";

interface TemplateIconProps {
  readonly template: { readonly icon: string; readonly name: string; readonly display_name: string };
}

export function TemplateIcon({ template }: TemplateIconProps) {
  const { icon, name, display_name: label } = template;
  const [broken, setBroken] = useState(false);
  const usable = icon.startsWith("https://") && !broken;
  return (
    <span className="template-icon" aria-hidden="true">
      {usable ? (
        <img src={icon} alt="" width="20" height="20" onError={() => setBroken(true)} />
      ) : (
        (label || name).slice(0, 1).toUpperCase()
      )}
    </span>
  );
}
