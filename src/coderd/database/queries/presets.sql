-- name: GetTemplateVersionPresets :many
SELECT * FROM template_version_presets WHERE template_version_id = @template_version_id ORDER BY lower(name);

-- name: GetTemplateVersionPresetParameters :many
-- Of all presets of a version.
SELECT sqlc.embed(pp)
FROM template_version_preset_parameters pp
JOIN template_version_presets p ON p.id = pp.template_version_preset_id
WHERE p.template_version_id = @template_version_id
ORDER BY pp.name;
