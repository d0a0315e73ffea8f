"""AWS AppConfig: feature flags and other configurations, deployed in steps and polled by applications."""
