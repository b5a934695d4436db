"""The command `pass-curate`: `main` has the table of its commands, each of which has its module.

step_settings  settings of a step as options, over those of a file
plain_step     commands of steps that are told nothing but their settings
spreading      where the shards of steps are done
collections    collections of images, as the filter reads them
told           what commands say of steps that are done
"""
